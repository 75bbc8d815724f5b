"""All options of the policy in one struct, composed of those that stand beside each part."""

from msgspec import Struct

from surefoot.policy.breaker import BreakerOptions
from surefoot.policy.budget import BudgetOptions
from surefoot.policy.exercise import ExerciseOptions
from surefoot.policy.first_token import FirstTokenOptions
from surefoot.policy.suspicion import SuspicionOptions
from surefoot.policy.them_or_us import ThemOrUsOptions
from surefoot.policy.token_rate import TokenRateOptions


class PolicyOptions(Struct, frozen=True):
    """What the configuration file may set of the policy, for all targets."""

    first_token: FirstTokenOptions = FirstTokenOptions()
    breaker: BreakerOptions = BreakerOptions()
    budget: BudgetOptions = BudgetOptions()
    suspicion: SuspicionOptions = SuspicionOptions()
    token_rate: TokenRateOptions = TokenRateOptions()
    them_or_us: ThemOrUsOptions = ThemOrUsOptions()
    exercise: ExerciseOptions = ExerciseOptions()
