"""The walk of every operation by the AWS CLI, against a development cluster."""
