"""The doctor's checks: each looks at a case and yields findings."""
