"""The voice loop: providers, transcription, turn taking, and the policy of a conversation."""
