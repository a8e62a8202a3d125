"""Is it worth it: present values, rates of return, timing, sensitivity, loans, users' gains."""

from landbridge.model.appraisal.cashflow import (
    Opening,
    Returns,
    annuity,
    bcr,
    discount,
    first_year_rate,
    npv,
    opening_years,
    payback_years,
    rates_of_return,
)
from landbridge.model.appraisal.loans import Loan, Service, debt_service
from landbridge.model.appraisal.sensitivity import Swing, delayed, switching_values, tornado
from landbridge.model.appraisal.surplus import constant_elasticity, logsum, rule_of_half
from landbridge.model.appraisal.waiting import critical_ratio, deferral_value, value_of_waiting

__all__ = [
    "Loan",
    "Opening",
    "Returns",
    "Service",
    "Swing",
    "annuity",
    "bcr",
    "constant_elasticity",
    "critical_ratio",
    "debt_service",
    "deferral_value",
    "delayed",
    "discount",
    "first_year_rate",
    "logsum",
    "npv",
    "opening_years",
    "payback_years",
    "rates_of_return",
    "rule_of_half",
    "switching_values",
    "tornado",
    "value_of_waiting",
]
