"""The child that ships with Vigía: a durable Telegram media and document pipeline."""
