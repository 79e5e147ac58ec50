"""What runs, held against what should: status and drift, and what is known of each release."""
