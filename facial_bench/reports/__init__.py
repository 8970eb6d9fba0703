"""Results as boards, tables, figures and pages."""
