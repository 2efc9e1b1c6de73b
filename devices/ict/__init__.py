"""ICT104 and ICT106, the protocols of International Currency Technologies' validators: A7, V7, P70, L77, NK77, V77E."""
