"""The way back of objects that name no namespace: their source gives them one, and an edit does not write it into the file."""

import pytest

from reconciler.git.objects import Snapshot
from reconciler.sources.documents import Parsed, manifests_of
from reconciler.sources.edits import Direct, restore_edits
from reconciler.sources.model import WorkloadId

FILE = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  template:
    spec:
      containers:
        - name: web
          image: {image}
          envFrom:
            - configMapRef: {{name: web}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  mode: {mode}
"""


def read(image: str, mode: str) -> Parsed:
    return manifests_of(Snapshot("", "", {"web.yaml": FILE.format(image=image, mode=mode).encode()}), namespace="shop")


@pytest.mark.parametrize(("image", "mode"), [("web:2", "slow"), ("web:1", "slow"), ("web:2", "fast")])
def test_an_edit_writes_no_namespace_into_the_file(image: str, mode: str) -> None:
    good, bad = read("web:1", "fast"), read(image, mode)
    outcome = restore_edits(good, bad, bad, WorkloadId("Deployment", "shop", "web"))
    assert isinstance(outcome, Direct), outcome
    assert outcome.edit.files == good_files(good)


def good_files(good: Parsed) -> dict[str, bytes]:
    return {name: file.content for name, file in good.files.items()}
