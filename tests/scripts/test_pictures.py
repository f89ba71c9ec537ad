"""The pictures of the console: every one is shown, and small; `python -m scripts.pictures` takes them again."""

import re

from scripts.pictures import FOLDER, PICTURES

PAGE = FOLDER.parent / "console.md"
SHOWN = re.compile(r"!\[([^\]]+)\]\(pictures/([a-z-]+)\.png\)")
MOST = 260_000


def test_every_picture_is_there_shown_and_said_in_words() -> None:
    shown = SHOWN.findall(PAGE.read_text())
    assert sorted(name for _, name in shown) == sorted(picture.name for picture in PICTURES)
    assert all(len(words) > 20 for words, _ in shown), "what it shows, for who does not see it"
    assert {file.stem for file in FOLDER.iterdir()} == {picture.name for picture in PICTURES}


def test_pictures_are_pictures_and_small() -> None:
    for file in FOLDER.iterdir():
        body = file.read_bytes()
        assert body.startswith(b"\x89PNG") and 10_000 < len(body) < MOST, file.name
