"""What an audit and an attack would cost, before anything is spent: `scanner plan RUN|ROWS --target MODEL`.

_recipe      what is planned → what is known of it → a timed warm-up → sections
_protocol    the attack in the terms of the cost model (`scanner.attack`)
_warm_up     the target, timed; _originals: the pictures it is compared with, timed
_outlook     all that follows from these: phases, the paper's attack, times
_attack, _time, _memory, _audit    the figures; each says whether it is measured, counted or extrapolated
_show        for people and for programs

>>> print_plan(plan("runs/laion", "models/mine", AttackOptions(), PlanOptions(), TargetOptions()), as_json=False)
...                                                                            # doctest: +SKIP
"""

from pipelines.planning._figures import Figure, Plan, Section
from pipelines.planning._recipe import plan
from pipelines.planning._show import print_plan

__all__ = ["Figure", "Plan", "Section", "plan", "print_plan"]
