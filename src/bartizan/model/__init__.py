"""What is judged and what is said: frozen records without behaviour or I/O."""
