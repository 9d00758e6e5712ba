"""The benchmark of the Torch counterparts: it measures, and refuses to time what differs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from benchmarks import twins


@pytest.mark.parametrize("row", twins.ROWS, ids=lambda row: row.name)
def test_every_row_computes_the_same_both_ways(row):
    """Output and all gradients agree, and the ratio is in the summary."""
    result = json.loads(json.dumps(twins.measure([row], "cpu", rounds=1)))
    assert result["summary"][row.name] > 0
    assert row.name in twins.as_text(result)


def test_different_results_are_not_timed():
    """A direct way that computes something else stops the benchmark."""
    wrong = replace(twins.ROWS[1], direct=torch.tanh)
    with pytest.raises(AssertionError):
        twins.measure([wrong], "cpu", rounds=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a device")
def test_a_missing_device_is_a_sentence():
    """Without a CUDA device the command says so and what to try, and exits with 2."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.twins"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == "There is no CUDA device here. Try the command with --device cpu."
