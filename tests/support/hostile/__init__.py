"""What somebody hostile would send: texts, answers that were changed on their way, words of scripts."""
