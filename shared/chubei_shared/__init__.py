"""What Chubei's services share: contracts, error shape, session and outbox mechanics, token check.

Never a service's tables, never a business rule.
"""
