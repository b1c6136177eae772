"""Step templates: what a brand may ask for."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from kycmanager.commands import scopes, trail
from kycmanager.commands.model import (
    ACCEPTED,
    Accepted,
    Access,
    Brand,
    Command,
    Flag,
    Id,
    Kind,
    Level,
    ListRequest,
    Name,
    ReadContext,
    Replay,
    Request,
    Route,
    StepCode,
    Text,
    WriteContext,
    WriteRequest,
)
from kycmanager.commands.pages import list_query, page_fields
from kycmanager.commands.views import TemplateList, TemplateReply
from kycmanager.domain import form_schema
from kycmanager.domain.enums import StepType, TemplateStatus
from kycmanager.domain.errors import Code, KycError, not_found
from kycmanager.domain.records import Template
from kycmanager.domain.session import MANAGERS
from kycmanager.ports import Records

SortIndex = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class AddTemplate(Request, frozen=True, kw_only=True):
    """A new template; active unless disabled later."""

    brand: Brand
    code: StepCode
    level: Level
    name: Name = ""
    description: Text = ""
    step_type: StepType = StepType.DOCUMENT
    required: Flag = 1
    sort_index: SortIndex = 0
    requirements: dict[str, Any] = {}
    form_schema: dict[str, Any] = {}


class UpdateTemplate(WriteRequest, frozen=True, kw_only=True):
    """The fields to change; those left out stay as they are."""

    id: Id
    brand: Brand | UnsetType = UNSET
    code: StepCode | UnsetType = UNSET
    level: Level | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    step_type: StepType | UnsetType = UNSET
    required: Flag | UnsetType = UNSET
    status: TemplateStatus | UnsetType = UNSET
    sort_index: SortIndex | UnsetType = UNSET
    requirements: dict[str, Any] | UnsetType = UNSET
    form_schema: dict[str, Any] | UnsetType = UNSET


class DeleteTemplate(WriteRequest, frozen=True, kw_only=True):
    """The template to remove, or to archive when steps refer to it."""

    id: Id


class GetTemplate(Request, frozen=True, kw_only=True):
    """Which template."""

    id: Id


class GetTemplates(ListRequest, frozen=True, kw_only=True):
    """Filters; one that is left out means "any", and so does -1."""

    brand: Brand | UnsetType = UNSET
    level: Level | UnsetType = UNSET
    code: StepCode | UnsetType = UNSET
    status: Annotated[int, Meta(ge=-1, le=int(max(TemplateStatus)))] = -1
    step_type: Annotated[int, Meta(ge=-1, le=int(max(StepType)))] = -1


CHANGEABLE = (
    "brand",
    "code",
    "level",
    "name",
    "description",
    "step_type",
    "required",
    "status",
    "sort_index",
    "requirements",
    "form_schema",
)


def _refuse_taken_code(context: WriteContext, brand: str, code: str, own_id: int) -> None:
    taken = context.changes.template_by_code(brand, code)
    if taken is not None and taken.id != own_id:
        raise KycError(
            Code.DUPLICATE_RECORD,
            "code: this brand has a template with this code already",
            {"errors": [{"field": "code", "code": "duplicate", "message": "is taken in this brand"}]},
        )


def add_template(context: WriteContext, request: AddTemplate, _target: None) -> TemplateReply:
    """Check the schema, keep the template, tell of it."""
    form_schema.ensure_requirements(request.requirements)
    texts = {"form_schema": request.form_schema, "requirements": request.requirements}
    form_schema.ensure_size(texts, **texts)
    form_schema.ensure(request.form_schema)
    _refuse_taken_code(context, request.brand, request.code, 0)
    template = Template(
        id=context.changes.next_id("template"),
        brand=request.brand,
        level=request.level,
        code=request.code,
        name=request.name,
        description=request.description,
        step_type=request.step_type,
        required=request.required,
        status=TemplateStatus.ACTIVE,
        sort_index=request.sort_index,
        requirements=request.requirements,
        form_schema=request.form_schema,
        created_time=context.now,
        updated_time=context.now,
        version=1,
    )
    trail.put_template(context, "template.added", template)
    trail.audit(context, "template.added", brand=template.brand, template_id=template.id)
    return TemplateReply(template=template)


def update_template(context: WriteContext, request: UpdateTemplate, target: Template) -> TemplateReply:
    """Change the given fields; steps made before keep the text of the version they were made from."""
    given = {name: value for name in CHANGEABLE if (value := getattr(request, name)) is not UNSET}
    if "brand" in given and not context.session.sees(given["brand"]):
        raise not_found("template")
    texts = {"form_schema": target.form_schema, "requirements": target.requirements}
    if texts.keys() & given.keys():
        form_schema.ensure_size(given, **{name: given.get(name, text) for name, text in texts.items()})
    if "form_schema" in given:
        form_schema.ensure(given["form_schema"])
    brand, code = given.get("brand", target.brand), given.get("code", target.code)
    _refuse_taken_code(context, brand, code, target.id)
    changed = sorted(name for name, value in given.items() if getattr(target, name) != value)
    template: Template = msgspec.structs.replace(target, **given, updated_time=context.now, version=target.version + 1)
    trail.put_template(context, "template.updated", template)
    trail.audit(
        context,
        "template.updated",
        brand=template.brand,
        template_id=template.id,
        old_status=target.status,
        new_status=template.status,
        details={"changed": changed},
    )
    return TemplateReply(template=template)


def delete_template(context: WriteContext, _request: DeleteTemplate, target: Template) -> Accepted:
    """Archive a template that steps refer to, remove an unused one."""
    if context.changes.template_in_use(target.id):
        archived: Template = msgspec.structs.replace(
            target, status=TemplateStatus.ARCHIVED, updated_time=context.now, version=target.version + 1
        )
        trail.put_template(context, "template.archived", archived)
        action, new_status = "template.archived", TemplateStatus.ARCHIVED
    else:
        context.changes.remove_template(target.id)
        context.changes.emit("template.deleted", target, brand=target.brand, customer_id=0, kyc_id=0)
        action, new_status = "template.deleted", target.status
    trail.audit(
        context,
        action,
        brand=target.brand,
        template_id=target.id,
        old_status=target.status,
        new_status=new_status,
        details={"code": target.code},
    )
    return ACCEPTED


def get_template(_context: ReadContext, _request: GetTemplate, target: Template) -> TemplateReply:
    """Show the template."""
    return TemplateReply(template=target)


def get_templates(context: ReadContext, request: GetTemplates, _target: None) -> TemplateList:
    """List templates, ids ascending."""
    page = context.records.list_templates(
        list_query(
            context.session,
            request,
            brand=request.brand,
            level=request.level,
            code=request.code,
            status=request.status,
            step_type=request.step_type,
        ),
    )
    return TemplateList(rows=list(page.rows), **page_fields(page))


def _recall(records: Records, template_id: int) -> TemplateReply:
    found = records.template(template_id)
    if found is None:
        raise not_found("template")
    return TemplateReply(template=found)


REPLAY = Replay(record=lambda reply: reply.template, answer=_recall)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="MngAddKycStepTemplate",
        summary="Add a step template to a brand",
        request=AddTemplate,
        reply=TemplateReply,
        access=Access(MANAGERS, scopes.brand("brand")),
        kind=Kind.WRITE,
        handler=add_template,
        errors=(Code.NOT_FOUND, Code.DUPLICATE_RECORD),
        route=Route(("POST",), "/manager/kyc/templates"),
        replay=REPLAY,
    ),
    Command(
        name="MngUpdateKycStepTemplate",
        summary="Change a step template",
        request=UpdateTemplate,
        reply=TemplateReply,
        access=Access(MANAGERS, scopes.template),
        kind=Kind.WRITE,
        handler=update_template,
        errors=(Code.NOT_FOUND, Code.DUPLICATE_RECORD),
        route=Route(("PUT", "PATCH"), "/manager/kyc/templates/{id}"),
        noun="template",
        replay=REPLAY,
    ),
    Command(
        name="MngDeleteKycStepTemplate",
        summary="Remove an unused step template, archive a used one",
        request=DeleteTemplate,
        reply=Accepted,
        access=Access(MANAGERS, scopes.template),
        kind=Kind.WRITE,
        handler=delete_template,
        errors=(Code.NOT_FOUND,),
        route=Route(("DELETE",), "/manager/kyc/templates/{id}"),
        noun="template",
    ),
    Command(
        name="MngGetKycStepTemplate",
        summary="Show a step template",
        request=GetTemplate,
        reply=TemplateReply,
        access=Access(MANAGERS, scopes.template),
        kind=Kind.READ,
        handler=get_template,
        errors=(Code.NOT_FOUND,),
        route=Route(("GET",), "/manager/kyc/templates/{id}"),
        noun="template",
    ),
    Command(
        name="MngGetKycStepTemplates",
        summary="List step templates",
        request=GetTemplates,
        reply=TemplateList,
        access=Access(MANAGERS, scopes.anything),
        kind=Kind.READ,
        handler=get_templates,
        errors=(),
        route=Route(("GET",), "/manager/kyc/templates"),
    ),
)
