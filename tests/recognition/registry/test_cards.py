"""Model cards: comparing two, and reading imported ones."""

import json

import pytest

from recognition.engine.errors import ModelError
from recognition.registry import cards
from tests.recognition.networks import card, figures


def test_the_data_hash_is_of_the_contents_whatever_the_files_are_called():
    assert cards.data_hash({"data": {"a": "1", "b": "2"}}) == cards.data_hash(
        {"data": {"y": "2", "x": "1"}}
    )
    assert cards.data_hash({"data": {"a": "1"}}) != cards.data_hash({"data": {"a": "2"}})
    assert cards.data_hash({}) == ""


def test_models_scored_on_the_same_split_of_the_same_file_can_be_compared():
    votes = {"faces.csv": "a" * 64, "votes.csv": "b" * 64}
    assert cards.shared_split(card(0.5), card(0.6, data=votes)) == "PublicTest"


@pytest.mark.parametrize(
    "other",
    [
        card(0.6, data={"faces.csv": "b" * 64}),
        card(0.6, figures={"PublicTest": figures(0.6, support=11)}),
        card(0.6, figures={"PrivateTest": figures(0.6)}),
        {},
    ],
    ids=["other data", "other faces", "other split", "nothing known"],
)
def test_models_scored_on_other_faces_cannot_be_compared(other):
    assert cards.shared_split(card(0.5), other) is None
    assert cards.compare(card(0.5), other) is None


def test_a_validation_part_counts_only_if_it_was_held_out_in_the_same_way():
    own = {"figures": {"validation": figures(0.5)}}
    assert cards.shared_split(card(0, **own), card(0, **own)) == "validation"
    other = card(0, **own, config={"seed": 8, "validation": 0.1})
    assert cards.shared_split(card(0, **own), other) is None


def test_a_comparison_gives_differences_to_the_first_model():
    found = cards.compare(card(0.5), card(0.7), card(0.4))

    assert (found["split"], found["faces"]) == ("PublicTest", 70)
    assert found["accuracy"] == [0.5, 0.7, 0.4]
    assert found["classes"][3]["emotion"] == "happy"
    assert found["classes"][3]["difference"] == pytest.approx([0, 0.2, -0.1])
    assert [matrix[3][3] for matrix in found["confusion"]] == [2, -1]


def test_a_foreign_card_in_our_form_is_taken():
    ours = card(0.6)
    taken = cards.read_foreign(json.dumps(ours).encode())

    assert taken["architecture"] == "tiny"
    del ours["figures"]["PublicTest"]["log_loss"]  # nobody reads it here
    assert taken["figures"] == ours["figures"]


@pytest.mark.parametrize(
    "content",
    [
        b"no JSON",
        b"[1, 2]",
        b'{"architecture": 5}',
        b'{"data": {"faces.csv": ["a"]}}',
        b'{"figures": {"PublicTest": {"accuracy": 1}}}',
        b'{"figures": 5}',
        b'{"temperature": NaN}',
        b"[" * 100_000,
        b'{"note": "' + b"x" * 1024**2 + b'"}',
        json.dumps(card(0.6)).replace('"faces": 70', '"faces": "many"').encode(),
    ],
    ids=[
        *["text", "list", "architecture", "data", "few figures", "number", "NaN", "deep", "large"],
        "count",
    ],
)
def test_a_foreign_card_in_another_form_is_refused(content):
    with pytest.raises(ModelError) as caught:
        cards.read_foreign(content)
    assert caught.value.code == "invalid_card"
