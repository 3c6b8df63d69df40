"""Contenders side by side: plan -> runs -> results -> report."""
