"""The hunter: seeded tales in which people, bots and misfortunes meet in the middle of a release, and what must hold in all of them."""
