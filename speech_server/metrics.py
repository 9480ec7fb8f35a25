"""The speech server's own metrics. `kind` is `stt`, `tts` or `encoder`."""

from prometheus_client import Counter, Gauge, Histogram

QUEUE_DEPTH = Gauge(
    "parley_speech_queue_depth", "Model calls that wait for a free thread", ["kind"]
)
WAIT_S = Histogram(
    "parley_speech_wait_seconds",
    "Time that a model call waited for a free thread",
    ["kind"],
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
DURATION_S = Histogram(
    "parley_speech_duration_seconds",
    "Time of one model call: a transcription, one clause of speech, or one sentence",
    ["kind"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5),
)
REAL_TIME_FACTOR = Histogram(
    "parley_speech_real_time_factor",
    "Time of one model call over the duration of its audio",
    ["kind"],
    buckets=(0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2),
)
FIRST_BYTE_S = Histogram(
    "parley_speech_first_byte_seconds",
    "Time from a request for speech to its first sound",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
CLAUSES = Counter(
    "parley_speech_clauses_total", "Clauses spoken, from the `cache` or the `model`", ["source"]
)
SENTENCES = Counter(
    "parley_speech_sentences_total",
    "Sentences encoded, from the `cache` or by the `model`",
    ["source"],
)
DISCARDED = Counter(
    "parley_speech_discarded_total",
    "Transcripts answered as empty because they were not speech",
    ["reason"],
)
REFUSALS = Counter(
    "parley_speech_refusals_total", "Requests that were refused or given up", ["kind", "reason"]
)
