"""The walk of every operation by boto3, against a development cluster: answers, and errors with code and text."""
