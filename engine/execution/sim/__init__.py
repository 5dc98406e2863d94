"""The order simulator: a broker whose exchange is a panel."""
