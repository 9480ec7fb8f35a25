"""Local speech-to-text and text-to-speech behind HTTP in OpenAI's shapes."""
