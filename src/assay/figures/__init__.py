"""Pictures in one style: functions from tables to matplotlib figures."""
