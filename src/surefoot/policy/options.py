"""All options of the policy in one struct, composed of those that stand beside each part."""

from msgspec import Struct

from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.first_token import FirstTokenOptions


class PolicyOptions(Struct, frozen=True):
    """What the configuration file may set of the policy, for all targets."""

    first_token: FirstTokenOptions = FirstTokenOptions()
    breaker: BreakerOptions = BreakerOptions()
    budget: BudgetOptions = BudgetOptions()
