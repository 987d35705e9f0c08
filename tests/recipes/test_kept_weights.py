"""The best weights of a run stay, and means; what is not needed goes; a resumed run knows what was best."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from recipes.kept_weights import KeptWeights, average, read_kept
from recipes.scaling import ScaleOptions
from voice.errors import ModelMissing


def weights(value):
    return {"w": torch.full((2,), float(value)), "n": torch.tensor(value)}


def check(kept, *scores):
    """Let checks have these scores, at steps 1, 2, …, with weights equal to the step."""
    first = kept.steps if hasattr(kept, "steps") else 0
    for step, score in enumerate(scores, first + 1):
        kept.consider(step, [score], weights(step), {"wer": score})


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_the_best_is_kept_unless_more_are_asked_for(tmp_path):
    kept = KeptWeights(tmp_path, ScaleOptions())
    check(kept, 3.0, 1.0, 2.0)
    kept.write_means()
    assert files(tmp_path) == ["best.pt"] and kept.best_step == 2
    assert read_kept(tmp_path, "best", "recipes.mine")["w"].tolist() == [2.0, 2.0]


def test_the_mean_of_the_best_and_of_the_last_is_written(tmp_path):
    kept = KeptWeights(tmp_path, ScaleOptions(keep_best=2, average_last=3))
    check(kept, 3.0, 1.0, 5.0, 2.0, 4.0)
    kept.write_means()
    assert files(tmp_path) == [
        "averaged-best.pt", "averaged-last.pt", "best.pt",
        *(f"weights-000000{step}.pt" for step in (2, 3, 4, 5)),
    ]  # fmt: skip
    assert read_kept(tmp_path, "averaged-best", "recipes.mine")["w"].tolist() == [3.0, 3.0]
    assert read_kept(tmp_path, "averaged-last", "recipes.mine")["w"].tolist() == [4.0, 4.0]


def test_a_score_of_several_parts_goes_by_the_first(tmp_path):
    kept = KeptWeights(tmp_path, ScaleOptions())
    assert kept.consider(1, (2.0, 5.0), weights(1), {})
    assert kept.consider(2, (2.0, 4.0), weights(2), {}) and not kept.consider(3, (3.0, 0.0), weights(3), {})


def test_patience_ends_a_run_that_gets_no_better(tmp_path):
    kept = KeptWeights(tmp_path, ScaleOptions(patience=2))
    check(kept, 3.0, 4.0)
    assert not kept.exhausted
    resumed = KeptWeights(tmp_path, ScaleOptions(patience=2))
    resumed.load_state_dict(kept.state_dict())
    resumed.consider(3, [3.0], weights(3), {})
    assert resumed.exhausted and resumed.best_step == 1
    longer = KeptWeights(tmp_path, ScaleOptions(patience=5))
    longer.load_state_dict(resumed.state_dict())
    assert not longer.exhausted


def test_integers_are_taken_from_the_last_and_types_stay():
    mean = average([weights(1), {"w": torch.full((2,), 2.0), "n": torch.tensor(7)}])
    assert mean["w"].tolist() == [1.5, 1.5] and mean["n"] == 7
    assert average([{"w": torch.ones(1).half()}] * 2)["w"].dtype == torch.float16


def test_weights_that_were_not_kept_say_how_they_are(tmp_path):
    with pytest.raises(ModelMissing, match="--out .* --average-last 5"):
        read_kept(tmp_path, "averaged-last", "recipes.mine")
