"""Templates of an example, for the operator: those a brand has already stay as they are."""

from kycmanager.commands import scopes
from kycmanager.commands.model import Brand, Command, Reply, Request, StepCode, WriteContext, local_row
from kycmanager.commands.templates import AddTemplate, add_template
from kycmanager.domain.errors import Code
from kycmanager.domain.wallet_example import templates


class AddExample(Request, frozen=True, kw_only=True):
    """The brand that is to have the templates of the example."""

    brand: Brand


class ExampleReply(Reply, frozen=True, kw_only=True):
    """The codes of the templates that were added, and of those that were there."""

    added: list[StepCode]
    kept: list[StepCode]


def add_example(context: WriteContext, request: AddExample, _target: None) -> ExampleReply:
    """Add the templates of customers of wallets that the brand does not have."""
    added, kept = [], []
    for fields in templates(request.brand):
        code = fields["code"]
        if context.changes.template_by_code(request.brand, code) is not None:
            kept.append(code)
        else:
            add_template(context, AddTemplate(**fields), None)
            added.append(code)
    return ExampleReply(added=added, kept=kept)


COMMANDS: tuple[Command, ...] = (
    local_row(
        "SysAddSepTemplates",
        "Operator: add the templates of the SEP-12 example",
        AddExample,
        ExampleReply,
        add_example,
        scopes.anything,
        Code.DUPLICATE_RECORD,
    ),
)
