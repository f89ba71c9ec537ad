"""File xDS: each change is renamed into place and waited for, in the order that never leaves a route without its cluster.

Clusters old and new → routes → listeners → clusters new only. Writing in that order is not enough: each file has its own watcher.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import orjson

from reconciler_sandbox.mesh.admin import Admin
from reconciler_sandbox.mesh.errors import Rejected
from reconciler_sandbox.mesh.translate.listeners import statistics_prefix, table_file
from reconciler_sandbox.mesh.translate.terms import TYPE, Config, Json

ACCEPT_SECONDS, LOOK_AGAIN_SECONDS = 10.0, 0.002
CLUSTERS, LISTENERS = "cds.json", "lds.json"
TYPES = {"cds": "config.cluster.v3.Cluster", "lds": "config.listener.v3.Listener", "rds": "config.route.v3.RouteConfiguration"}
SCOPES = {CLUSTERS: "cluster_manager.cds", LISTENERS: "listener_manager.lds"}


class Files:
    """The files of one Envoy in one folder."""

    def __init__(self, folder: Path, admin: Admin) -> None:
        self._folder = folder
        self._admin = admin
        self._written: dict[str, str] = {}
        self._clusters: dict[str, Json] = {}
        self._version = 0
        self._versions: dict[str, str] = {}

    def write_all(self, config: Config) -> None:
        """Write everything without waiting: for an Envoy that has not started yet."""
        self._written.clear()
        self._write(CLUSTERS, config.clusters)
        for name, table in config.tables.items():
            self._write(table_file(name), [table])
        self._write(LISTENERS, config.listeners)
        self._clusters = _by_name(config.clusters)

    async def listening(self) -> None:
        """Wait until Envoy has opened the listeners of `write_all`; raises Rejected if it cannot, e.g. because a port is taken."""
        async with asyncio.timeout(ACCEPT_SECONDS):
            await self._until_accepted({LISTENERS: self._versions[LISTENERS]}, {})

    async def apply(self, config: Config) -> None:
        """Bring a configuration into force without losing a request; raises Rejected, and Envoy keeps what it had."""
        new = _by_name(config.clusters)
        await self._replace({CLUSTERS: list({**self._clusters, **new}.values())})
        self._clusters = {**self._clusters, **new}
        await self._replace({table_file(name): [table] for name, table in config.tables.items()})
        await self._replace({LISTENERS: config.listeners})
        await self._replace({CLUSTERS: config.clusters})
        self._clusters = new

    async def _replace(self, files: Mapping[str, Sequence[Json]]) -> None:
        changed = {name: resources for name, resources in files.items() if self._written.get(name) != _digest(resources)}
        if not changed:
            return
        before = await self._admin.versions()
        wanted = {name: self._write(name, resources) for name, resources in changed.items()}
        try:
            async with asyncio.timeout(ACCEPT_SECONDS):
                await self._until_accepted(wanted, before)
        except BaseException:
            for name in wanted:  # whatever happened, what is in the file is not what is in force
                self._written.pop(name, None)
            raise

    async def _until_accepted(self, wanted: Mapping[str, str], before: Mapping[str, str]) -> None:
        while True:
            now = await self._admin.versions()
            refused = [name for name in wanted if _rejections(now, name) > _rejections(before, name)]
            if refused:
                raise Rejected(f"Envoy rejected {', '.join(refused)}")
            if all(now.get(f"{_scope(name)}.version_text") == version for name, version in wanted.items()):
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _write(self, name: str, resources: Sequence[Json]) -> str:
        """Rename a new version into place; Envoy ignores files that are written in place."""
        self._version += 1
        version = str(self._version)
        kind = TYPE + TYPES[name.partition(".")[0]]
        body = orjson.dumps({"version_info": version, "resources": [{"@type": kind, **resource} for resource in resources]})
        temporary = self._folder / f".{name}.new"
        temporary.write_bytes(body)
        os.replace(temporary, self._folder / name)
        self._written[name] = _digest(resources)
        self._versions[name] = version
        return version


def _scope(name: str) -> str:
    """Where Envoy keeps the statistics of one file."""
    if name in SCOPES:
        return SCOPES[name]
    table = name.removeprefix("rds.").removesuffix(".json")
    return f"http.{statistics_prefix(table)}.rds.{table}"


def _rejections(versions: Mapping[str, str], name: str) -> int:
    return int(versions.get(f"{_scope(name)}.update_rejected", "0"))


def _digest(resources: Sequence[Json]) -> str:
    return sha256(orjson.dumps(list(resources), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _by_name(clusters: Sequence[Json]) -> dict[str, Json]:
    return {cluster["name"]: cluster for cluster in clusters}
