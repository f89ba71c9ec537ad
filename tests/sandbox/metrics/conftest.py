"""The running API server and its client for every test here."""

from tests.kit.apiserver import api, api_server

__all__ = ["api", "api_server"]
