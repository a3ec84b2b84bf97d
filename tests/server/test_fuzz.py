"""Whatever is sent, the answer is an answer or a named error; never a crash, never another shape."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from penchant.core.clock import SystemClock
from penchant.core.settings import Settings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.examples import BODIES
from penchant.trust.access import SCOPES, SYSTEM

FIELDS = sorted(
    {name for body in BODIES.values() for name in (body[0] if isinstance(body, list) else body)} | {"session"}
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=12)
    | st.sampled_from(
        ["900", "1007", "for-you", "similar", "2017-12-31T10:00:00Z", "9999-12-31T23:59:59.999999+14:00"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """An example of the documentation with some fields replaced, or anything at all."""
    (method, path), example = draw(st.sampled_from(sorted(BODIES.items(), key=str)))
    if draw(st.integers(0, 4)) == 0:
        return method, path, draw(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
    one = dict(example[0] if isinstance(example, list) else example)
    one.update(draw(st.dictionaries(st.sampled_from([*one, *FIELDS]), VALUES, max_size=2)))
    return method, path, json.dumps([one, one] if draw(st.booleans()) else one).encode()


@pytest.fixture(scope="module")
def client(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Any]]:
    folder = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(shop, folder, dirs_exist_ok=True)
    with Engine.open(Settings(store=f"sqlite:///{folder}/shop.db"), SystemClock()) as engine:
        key = engine.gate.keys.create(SYSTEM, "fuzz", SCOPES)
        with TestClient(create_app(engine), raise_server_exceptions=False) as client:
            client.headers["Authorization"] = f"Bearer {key}"
            yield client


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "message", "field"}
        assert answer.json()["message"]


@settings(max_examples=120)
@given(sent=bodies(), id=st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable()))
def test_no_body_crashes_it(client: TestClient[Any], sent: tuple[str, str, bytes], id: str) -> None:
    method, path, content = sent
    address = path.replace("{id}", quote(id, safe=""))
    check(client.request(method, address, content=content, headers={"content-type": "application/json"}))


@settings(max_examples=60)
@given(id=st.binary(min_size=1, max_size=8), n=st.integers() | st.text(max_size=5))
def test_no_address_crashes_it(client: TestClient[Any], id: bytes, n: int | str) -> None:
    segment = "".join(f"%{byte:02X}" for byte in id)
    for path in (f"/v1/users/{segment}/history", f"/v1/items/{segment}/similar"):
        check(client.get(f"{path}?n={quote(str(n), safe='')}"))
