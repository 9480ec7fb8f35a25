"""The clinic's backend: patients, appointments and requests to call back."""
