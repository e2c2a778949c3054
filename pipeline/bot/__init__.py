"""The Telegram side: updates are ours before they are confirmed, messages become batches."""
