"""What a page may load and where it may send."""

from ui.routes import HEADERS, POLICY


def test_a_page_neither_loads_from_elsewhere_nor_sends_there() -> None:
    assert HEADERS[b"content-security-policy"].decode().split("; ") == list(POLICY)
    assert {rule.split()[0] for rule in POLICY} >= {"default-src", "connect-src", "object-src"}
    for rule in POLICY:
        for source in rule.split()[1:]:
            assert source.startswith("'") or source in ("data:", "blob:"), rule
