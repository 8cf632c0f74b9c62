"""Sign-in by an identity provider of the bureau (OpenID Connect), where one is configured."""
