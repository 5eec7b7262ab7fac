"""Which numbers a network computes in."""

import pytest

from recognition.engine import precision


@pytest.fixture(autouse=True)
def nothing_measured():
    precision.preferred.cache_clear()
    yield
    precision.preferred.cache_clear()


@pytest.mark.parametrize(("gain", "chosen"), [(1.9, "int8"), (1.3, "int8"), (1.2, "float32")])
def test_int8_is_used_where_it_is_much_faster(monkeypatch, caplog, gain, chosen):
    caplog.set_level("INFO")
    monkeypatch.setattr(precision, "_gain", lambda: gain)
    assert precision.preferred() == chosen
    assert f"{gain:.1f} times as fast" in caplog.text


def test_it_is_measured_once(monkeypatch):
    measured = []
    monkeypatch.setattr(precision, "_gain", lambda: measured.append(1) or 2.0)
    assert [precision.preferred() for _ in range(3)] == ["int8"] * 3
    assert len(measured) == 1


@pytest.mark.parametrize("wanted", ["float32", "int8"])
def test_a_wanted_one_is_not_questioned(monkeypatch, wanted):
    monkeypatch.setattr(precision, "_gain", lambda: pytest.fail("measured"))
    assert precision.preferred(wanted) == wanted


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="float32"):
        precision.preferred("float16")


def test_the_networks_are_timed_in_turns():
    assert 0.2 < precision._gain() < 20
