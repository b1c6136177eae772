"""The commands as methods, written by `python -m kycmanager.contract`: change the rows instead."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from kycmanager.client.caller import Caller, given
from kycmanager.commands.audit import AuditList
from kycmanager.commands.cases import CaseList, CaseReply, NextReply
from kycmanager.commands.customer import CustomerDocumentsReply, SubmittedReply
from kycmanager.commands.deliveries import DeliveryList
from kycmanager.commands.desk import FilterList, NoteList, NoteReply, ReasonList
from kycmanager.commands.files import FileReply
from kycmanager.commands.identities import IdentityList
from kycmanager.commands.lookup import SearchFields
from kycmanager.commands.model import Accepted
from kycmanager.commands.portal import LinkReply
from kycmanager.commands.profiles import GateReply
from kycmanager.commands.search import DuplicateList, ImpactReply, SearchReply
from kycmanager.commands.statistics import StatisticsReply
from kycmanager.commands.system import Pong, ServerFacts, TableReply
from kycmanager.commands.views import (
    CustomerDocumentReply,
    CustomerStatusReply,
    CustomerStepReply,
    DocumentList,
    DocumentReply,
    ProfileList,
    ProfileReply,
    StepReply,
    TemplateList,
    TemplateReply,
)
from kycmanager.commands.wallets import IdentityReply
from kycmanager.domain.enums import RiskLevel, StepType, TemplateStatus


class Commands(Caller):
    """Every command a token can reach. What is left out is not sent: the daemon's default counts."""

    async def mng_add_kyc_step_template(
        self,
        *,
        brand: str,
        code: str,
        level: int,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        step_type: StepType | UnsetType = UNSET,
        required: int | UnsetType = UNSET,
        sort_index: int | UnsetType = UNSET,
        requirements: dict[str, Any] | UnsetType = UNSET,
        form_schema: dict[str, Any] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> TemplateReply:
        """Add a step template to a brand.

        A new template; active unless disabled later.

        - brand: The brand, case-sensitive.
        - code: The code of the template or step, unique in its brand.
        - level: The KYC level.
        - name: The name for people, or of the command; "" when left out.
        - description: A longer text for people; "" when left out.
        - step_type: What the step asks for; 0 when left out.
        - required: 1 when the step must be passed, 0 when it may be left out; 1 when left out.
        - sort_index: Where the step stands among those of its level; 0 when left out.
        - requirements: What the customer is told to bring; shown, not enforced; {} when left out.
        - form_schema: The form of the questionnaire: sections of typed fields; {} when left out.
        """
        return await self.call(
            "MngAddKycStepTemplate",
            given(
                brand=brand,
                code=code,
                level=level,
                name=name,
                description=description,
                step_type=step_type,
                required=required,
                sort_index=sort_index,
                requirements=requirements,
                form_schema=form_schema,
            ),
            TemplateReply,
            idempotency_key=idempotency_key,
        )

    async def mng_update_kyc_step_template(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        code: str | UnsetType = UNSET,
        level: int | UnsetType = UNSET,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        step_type: StepType | UnsetType = UNSET,
        required: int | UnsetType = UNSET,
        status: TemplateStatus | UnsetType = UNSET,
        sort_index: int | UnsetType = UNSET,
        requirements: dict[str, Any] | UnsetType = UNSET,
        form_schema: dict[str, Any] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> TemplateReply:
        """Change a step template.

        The fields to change; those left out stay as they are.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - brand: The brand, case-sensitive.
        - code: The code of the template or step, unique in its brand.
        - level: The KYC level.
        - name: The name for people, or of the command.
        - description: A longer text for people.
        - step_type: What the step asks for.
        - required: 1 when the step must be passed, 0 when it may be left out.
        - status: Where the record stands.
        - sort_index: Where the step stands among those of its level.
        - requirements: What the customer is told to bring; shown, not enforced.
        - form_schema: The form of the questionnaire: sections of typed fields.
        """
        return await self.call(
            "MngUpdateKycStepTemplate",
            given(
                id=id,
                version=version,
                brand=brand,
                code=code,
                level=level,
                name=name,
                description=description,
                step_type=step_type,
                required=required,
                status=status,
                sort_index=sort_index,
                requirements=requirements,
                form_schema=form_schema,
            ),
            TemplateReply,
            idempotency_key=idempotency_key,
        )

    async def mng_delete_kyc_step_template(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Remove an unused step template, archive a used one.

        The template to remove, or to archive when steps refer to it.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        """
        return await self.call(
            "MngDeleteKycStepTemplate",
            given(
                id=id,
                version=version,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_step_template(
        self,
        *,
        id: int,
    ) -> TemplateReply:
        """Show a step template.

        Which template.

        - id: The id of the record.
        """
        return await self.call(
            "MngGetKycStepTemplate",
            given(
                id=id,
            ),
            TemplateReply,
        )

    async def mng_get_kyc_step_templates(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        level: int | UnsetType = UNSET,
        code: str | UnsetType = UNSET,
        status: int | UnsetType = UNSET,
        step_type: int | UnsetType = UNSET,
    ) -> TemplateList:
        """List step templates.

        Filters; one that is left out means "any", and so does -1.

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - brand: Only rows of this brand.
        - level: Only this level.
        - code: Only this code.
        - status: Only rows in this status; -1 is any; -1 when left out.
        - step_type: Only this type; -1 is any; -1 when left out.
        """
        return await self.call(
            "MngGetKycStepTemplates",
            given(
                limit=limit,
                offset=offset,
                after=after,
                brand=brand,
                level=level,
                code=code,
                status=status,
                step_type=step_type,
            ),
            TemplateList,
        )

    async def mng_get_kyc_profile(
        self,
        *,
        id: int | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
    ) -> ProfileReply:
        """Show a profile with its steps and documents.

        A profile by its id, or by its customer and brand.

        - id: The profile; 0 when customer_id and brand name it; 0 when left out.
        - customer_id: The customer; 0 when left out.
        - brand: The brand, case-sensitive; "" when left out.
        """
        return await self.call(
            "MngGetKycProfile",
            given(
                id=id,
                customer_id=customer_id,
                brand=brand,
            ),
            ProfileReply,
        )

    async def mng_get_kyc_profiles(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        status: int | UnsetType = UNSET,
        required_level: int | UnsetType = UNSET,
        current_level: int | UnsetType = UNSET,
        risk_level: int | UnsetType = UNSET,
        updated_from: int | UnsetType = UNSET,
        updated_to: int | UnsetType = UNSET,
        order: Literal["-id", "-updated_time", "id", "updated_time"] | UnsetType = UNSET,
    ) -> ProfileList:
        """List profiles.

        Filters; -1 means "any". `order` with a leading minus is descending.

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - customer_id: Only rows of this customer.
        - brand: Only rows of this brand.
        - status: Only rows in this status; -1 is any; -1 when left out.
        - required_level: Only with this level asked for; -1 is any; -1 when left out.
        - current_level: Only at this level reached; -1 is any; -1 when left out.
        - risk_level: Only customers this risky; -1 is any; -1 when left out.
        - updated_from: Not changed before this time, Unix seconds; 0 is any; 0 when left out.
        - updated_to: Not changed after this time, Unix seconds; 0 is any; 0 when left out.
        - order: The order of the rows; a leading minus is descending; "id" when left out.
        """
        return await self.call(
            "MngGetKycProfiles",
            given(
                limit=limit,
                offset=offset,
                after=after,
                customer_id=customer_id,
                brand=brand,
                status=status,
                required_level=required_level,
                current_level=current_level,
                risk_level=risk_level,
                updated_from=updated_from,
                updated_to=updated_to,
                order=order,
            ),
            ProfileList,
        )

    async def mng_set_kyc_required_level(
        self,
        *,
        customer_id: int,
        brand: str,
        level: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        source: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Ask a level of a customer and attach the steps it takes.

        The level to ask of a customer in a brand.

        - customer_id: The customer.
        - brand: The brand, case-sensitive.
        - level: The KYC level.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - source: Where the wish came from, for the audit; "" when left out.
        """
        return await self.call(
            "MngSetKycRequiredLevel",
            given(
                customer_id=customer_id,
                brand=brand,
                level=level,
                version=version,
                reason=reason,
                source=source,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_set_kyc_risk(
        self,
        *,
        customer_id: int,
        brand: str,
        risk_level: RiskLevel,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Set the risk level of a customer.

        The risk level of a customer in a brand.

        - customer_id: The customer.
        - brand: The brand, case-sensitive.
        - risk_level: How risky the customer is.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        """
        return await self.call(
            "MngSetKycRisk",
            given(
                customer_id=customer_id,
                brand=brand,
                risk_level=risk_level,
                version=version,
                reason=reason,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_gate(
        self,
        *,
        customer_id: int,
        brand: str,
    ) -> GateReply:
        """Tell whether a real account may be opened for a customer.

        The customer and brand to open an account for.

        - customer_id: The customer.
        - brand: The brand, case-sensitive.
        """
        return await self.call(
            "MngGetKycGate",
            given(
                customer_id=customer_id,
                brand=brand,
            ),
            GateReply,
        )

    async def mng_get_kyc_step(
        self,
        *,
        id: int,
    ) -> StepReply:
        """Show a step with its documents.

        The step to show.

        - id: The id of the record.
        """
        return await self.call(
            "MngGetKycStep",
            given(
                id=id,
            ),
            StepReply,
        )

    async def mng_require_kyc_step(
        self,
        *,
        customer_id: int,
        brand: str,
        step_code: str,
        version: int | UnsetType = UNSET,
        level: int | None | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        source: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Ask one step of a customer by its code.

        The step to ask of a customer by the code of its template; `level` overrides the template's.

        - customer_id: The customer.
        - brand: The brand, case-sensitive.
        - step_code: The code of the step's template.
        - version: Refuse the write when the record has another version by now.
        - level: The KYC level; null when left out.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - source: Where the wish came from, for the audit; "" when left out.
        """
        return await self.call(
            "MngRequireKycStep",
            given(
                customer_id=customer_id,
                brand=brand,
                step_code=step_code,
                version=version,
                level=level,
                reason=reason,
                source=source,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_approve_kyc_step(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        comment: str | UnsetType = UNSET,
        expire_time: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Approve a step.

        The step to approve, until `expire_time` when that is not 0.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - comment: Internal, never shown to the customer; "" when left out.
        - expire_time: When the approval ends, Unix seconds, in the future; 0 is never; 0 when left out.
        """
        return await self.call(
            "MngApproveKycStep",
            given(
                id=id,
                version=version,
                reason=reason,
                comment=comment,
                expire_time=expire_time,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_reject_kyc_step(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        comment: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Reject a step.

        The step to reject; `reason` is a code the customer sees, `comment` is internal.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - comment: Internal, never shown to the customer; "" when left out.
        """
        return await self.call(
            "MngRejectKycStep",
            given(
                id=id,
                version=version,
                reason=reason,
                comment=comment,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_reopen_kyc_step(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        comment: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Take the rejection of a step back.

        The rejected step to decide anew.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - comment: Internal, never shown to the customer; "" when left out.
        """
        return await self.call(
            "MngReopenKycStep",
            given(
                id=id,
                version=version,
                reason=reason,
                comment=comment,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_skip_kyc_step(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Let a customer off a required step.

        The step to skip.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        """
        return await self.call(
            "MngSkipKycStep",
            given(
                id=id,
                version=version,
                reason=reason,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_add_kyc_document(
        self,
        *,
        file_id: str,
        version: int | UnsetType = UNSET,
        kyc_id: int | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        step_id: int | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> DocumentReply:
        """Attach a stored file to a customer's profile.

        The stored file to attach, and where: to a profile, and to one of its steps unless step_id is 0.

        - file_id: The uuid of an uploaded file.
        - version: Refuse the write when the record has another version by now.
        - kyc_id: The profile; 0 when left out.
        - customer_id: The customer; 0 when left out.
        - brand: The brand, case-sensitive; "" when left out.
        - step_id: The step; 0 is none; 0 when left out.
        - type: What the document is, in the words of the brand; "" when left out.
        """
        return await self.call(
            "MngAddKycDocument",
            given(
                file_id=file_id,
                version=version,
                kyc_id=kyc_id,
                customer_id=customer_id,
                brand=brand,
                step_id=step_id,
                type=type,
            ),
            DocumentReply,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_documents(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        kyc_id: int | UnsetType = UNSET,
        step_id: int | UnsetType = UNSET,
        status: int | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
    ) -> DocumentList:
        """List documents.

        Filters; -1 means "any".

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - customer_id: Only rows of this customer.
        - brand: Only rows of this brand.
        - kyc_id: Only rows of this profile.
        - step_id: Only rows of this step.
        - status: Only rows in this status; -1 is any; -1 when left out.
        - type: Only documents of this type.
        """
        return await self.call(
            "MngGetKycDocuments",
            given(
                limit=limit,
                offset=offset,
                after=after,
                customer_id=customer_id,
                brand=brand,
                kyc_id=kyc_id,
                step_id=step_id,
                status=status,
                type=type,
            ),
            DocumentList,
        )

    async def mng_approve_kyc_document(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        comment: str | UnsetType = UNSET,
        expire_time: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Approve a document.

        The document to approve, until `expire_time` when that is not 0.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - comment: Internal, never shown to the customer; "" when left out.
        - expire_time: When the approval ends, Unix seconds, in the future; 0 is never; 0 when left out.
        """
        return await self.call(
            "MngApproveKycDocument",
            given(
                id=id,
                version=version,
                reason=reason,
                comment=comment,
                expire_time=expire_time,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_reject_kyc_document(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        comment: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Reject a document.

        The document to reject; `reason` is a code the customer sees, `comment` is internal.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        - comment: Internal, never shown to the customer; "" when left out.
        """
        return await self.call(
            "MngRejectKycDocument",
            given(
                id=id,
                version=version,
                reason=reason,
                comment=comment,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_delete_kyc_document(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Delete a document.

        The document to delete.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        """
        return await self.call(
            "MngDeleteKycDocument",
            given(
                id=id,
                version=version,
                reason=reason,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_file(
        self,
        *,
        file_id: str,
    ) -> FileReply:
        """Read what is known of a stored file, and whether it is held back.

        The stored file to look at.

        - file_id: The uuid of an uploaded file.
        """
        return await self.call(
            "MngGetKycFile",
            given(
                file_id=file_id,
            ),
            FileReply,
        )

    async def mng_decide_kyc_file(
        self,
        *,
        file_id: str,
        decision: Literal["refuse", "release"],
        reason: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Release or refuse a stored file that is held back.

        The file that is held back, and what becomes of it; `reason` is required to refuse it.

        - file_id: The uuid of an uploaded file.
        - decision: What becomes of the file: release or refuse.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        """
        return await self.call(
            "MngDecideKycFile",
            given(
                file_id=file_id,
                decision=decision,
                reason=reason,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_audit(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        kyc_id: int | UnsetType = UNSET,
        step_id: int | UnsetType = UNSET,
        document_id: int | UnsetType = UNSET,
        action: str | UnsetType = UNSET,
        actor_id: int | UnsetType = UNSET,
        time_from: int | UnsetType = UNSET,
        time_to: int | UnsetType = UNSET,
        look: int | UnsetType = UNSET,
    ) -> AuditList:
        """Show who did what, newest first.

        Filters; one that is left out means "any", and so do 0 and an empty action.

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - brand: Only rows of this brand.
        - customer_id: Only rows of this customer; 0 when left out.
        - kyc_id: Only rows of this profile; 0 when left out.
        - step_id: Only rows of this step; 0 when left out.
        - document_id: Only rows of this document; 0 is any; 0 when left out.
        - action: Only this action; empty is any; "" when left out.
        - actor_id: Only rows of this actor; 0 is any; 0 when left out.
        - time_from: Not before this time, Unix seconds; 0 is any; 0 when left out.
        - time_to: Not after this time, Unix seconds; 0 is any; 0 when left out.
        - look: Look at so many rows at most, and go on at `next`; 0 is as many as it takes; 0 when left out.
        """
        return await self.call(
            "MngGetKycAudit",
            given(
                limit=limit,
                offset=offset,
                after=after,
                brand=brand,
                customer_id=customer_id,
                kyc_id=kyc_id,
                step_id=step_id,
                document_id=document_id,
                action=action,
                actor_id=actor_id,
                time_from=time_from,
                time_to=time_to,
                look=look,
            ),
            AuditList,
        )

    async def customer_get_kyc_status(
        self,
        *,
        lang: str | UnsetType = UNSET,
    ) -> CustomerStatusReply:
        """Show a customer the own profile, active steps and documents.

        Nothing but a language: the token says who asks.

        - lang: The language of `reason_text`, such as de or pt-BR; empty is that of the settings; "" when left out.
        """
        return await self.call(
            "CustomerGetKycStatus",
            given(
                lang=lang,
            ),
            CustomerStatusReply,
        )

    async def customer_get_kyc_step(
        self,
        *,
        id: int,
        lang: str | UnsetType = UNSET,
    ) -> CustomerStepReply:
        """Show a customer one of the own steps.

        The step to show.

        - id: The id of the record.
        - lang: The language of `reason_text`, such as de or pt-BR; empty is that of the settings; "" when left out.
        """
        return await self.call(
            "CustomerGetKycStep",
            given(
                id=id,
                lang=lang,
            ),
            CustomerStepReply,
        )

    async def customer_submit_kyc_step(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        answers: dict[str, Any] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> SubmittedReply:
        """Hand a step in for review.

        The step to hand in; answers given here go over those saved before.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        - answers: The customer's answers, by the names of the fields of the form; {} when left out.
        """
        return await self.call(
            "CustomerSubmitKycStep",
            given(
                id=id,
                version=version,
                answers=answers,
            ),
            SubmittedReply,
            idempotency_key=idempotency_key,
        )

    async def customer_save_kyc_answers(
        self,
        *,
        id: int,
        answers: dict[str, Any],
        version: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> SubmittedReply:
        """Keep some answers of a step for later.

        Answers to keep without handing the step in; null takes an answer back.

        - id: The id of the record.
        - answers: The customer's answers, by the names of the fields of the form.
        - version: Refuse the write when the record has another version by now.
        """
        return await self.call(
            "CustomerSaveKycAnswers",
            given(
                id=id,
                answers=answers,
                version=version,
            ),
            SubmittedReply,
            idempotency_key=idempotency_key,
        )

    async def customer_get_kyc_documents(
        self,
        *,
        step_id: int | UnsetType = UNSET,
        lang: str | UnsetType = UNSET,
    ) -> CustomerDocumentsReply:
        """List a customer's own documents.

        Only the documents of one step unless step_id is 0.

        - step_id: The step; 0 is none; 0 when left out.
        - lang: The language of `reason_text`, such as de or pt-BR; empty is that of the settings; "" when left out.
        """
        return await self.call(
            "CustomerGetKycDocuments",
            given(
                step_id=step_id,
                lang=lang,
            ),
            CustomerDocumentsReply,
        )

    async def customer_add_kyc_document(
        self,
        *,
        kyc_id: int,
        file_id: str,
        version: int | UnsetType = UNSET,
        step_id: int | UnsetType = UNSET,
        type: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> CustomerDocumentReply:
        """Attach an uploaded file to the own profile.

        The customer's own file to attach to the own profile.

        - kyc_id: The profile.
        - file_id: The uuid of an uploaded file.
        - version: Refuse the write when the record has another version by now.
        - step_id: The step; 0 is none; 0 when left out.
        - type: What the document is, in the words of the brand; "" when left out.
        """
        return await self.call(
            "CustomerAddKycDocument",
            given(
                kyc_id=kyc_id,
                file_id=file_id,
                version=version,
                step_id=step_id,
                type=type,
            ),
            CustomerDocumentReply,
            idempotency_key=idempotency_key,
        )

    async def mng_make_kyc_portal_link(
        self,
        *,
        version: int | UnsetType = UNSET,
        id: int | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        ttl: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> LinkReply:
        """Make a one-time link that lets a customer into the pages at /portal.

        The customer to let in: by the profile, or by customer and brand. `ttl` 0 is that of the settings.

        - version: Refuse the write when the record has another version by now.
        - id: The profile; 0 when customer_id and brand name it; 0 when left out.
        - customer_id: The customer; 0 when left out.
        - brand: The brand, case-sensitive; "" when left out.
        - ttl: How long it can be used, in seconds; 0 is what the settings say; 0 when left out.
        """
        return await self.call(
            "MngMakeKycPortalLink",
            given(
                version=version,
                id=id,
                customer_id=customer_id,
                brand=brand,
                ttl=ttl,
            ),
            LinkReply,
            idempotency_key=idempotency_key,
        )

    async def customer_remove_kyc_document(
        self,
        *,
        id: int,
        version: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Take back a document that was not handed in yet.

        The own document to take back.

        - id: The id of the record.
        - version: Refuse the write when the record has another version by now.
        """
        return await self.call(
            "CustomerRemoveKycDocument",
            given(
                id=id,
                version=version,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def kyc_require_step(
        self,
        *,
        customer_id: int,
        brand: str,
        step_code: str,
        version: int | UnsetType = UNSET,
        level: int | None | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Workflow hook: ask one step of a customer.

        The step a workflow asks of a customer.

        - customer_id: The customer.
        - brand: The brand, case-sensitive.
        - step_code: The code of the step's template.
        - version: Refuse the write when the record has another version by now.
        - level: The KYC level; null when left out.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        """
        return await self.call(
            "kyc.require_step",
            given(
                customer_id=customer_id,
                brand=brand,
                step_code=step_code,
                version=version,
                level=level,
                reason=reason,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def kyc_set_required_level(
        self,
        *,
        customer_id: int,
        brand: str,
        level: int,
        version: int | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Workflow hook: ask a level of a customer.

        The level a workflow asks of a customer.

        - customer_id: The customer.
        - brand: The brand, case-sensitive.
        - level: The KYC level.
        - version: Refuse the write when the record has another version by now.
        - reason: Why; for a rejection a code the customer sees; "" when left out.
        """
        return await self.call(
            "kyc.set_required_level",
            given(
                customer_id=customer_id,
                brand=brand,
                level=level,
                version=version,
                reason=reason,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_queue(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        level: int | UnsetType = UNSET,
        step_code: str | UnsetType = UNSET,
        step_status: int | UnsetType = UNSET,
        risk_level: int | UnsetType = UNSET,
        assignee: int | UnsetType = UNSET,
        assignee_session: int | UnsetType = UNSET,
        waiting_from: int | UnsetType = UNSET,
        waiting_to: int | UnsetType = UNSET,
        order: Literal["age", "risk"] | UnsetType = UNSET,
    ) -> CaseList:
        """List the cases that wait for a reviewer.

        Filters; -1 means "any". `step_code` alone asks for cases in which that step is pending.      `assignee` 0 is
        nobody; the same number in another type of session is somebody else: `assignee_session` is the type.     `order`
        "risk": the riskiest first, of those the longest waiting; "age": the longest waiting first.

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - brand: Only rows of this brand.
        - level: Only with this level asked for; -1 is any; -1 when left out.
        - step_code: Only where this step is pending, or has `step_status`; "" when left out.
        - step_status: Only with a step in this status; -1 is any; -1 when left out.
        - risk_level: Only customers this risky; -1 is any; -1 when left out.
        - assignee: Only cases of this reviewer; 0: of nobody.
        - assignee_session: The session type of who works on it; -1 when left out.
        - waiting_from: Not waiting before this time, Unix seconds; 0 is any; 0 when left out.
        - waiting_to: Not waiting after this time, Unix seconds; 0 is any; 0 when left out.
        - order: risk: the riskiest first, of those the oldest; age: the oldest first; "risk" when left out.
        """
        return await self.call(
            "MngGetKycQueue",
            given(
                limit=limit,
                offset=offset,
                after=after,
                brand=brand,
                level=level,
                step_code=step_code,
                step_status=step_status,
                risk_level=risk_level,
                assignee=assignee,
                assignee_session=assignee_session,
                waiting_from=waiting_from,
                waiting_to=waiting_to,
                order=order,
            ),
            CaseList,
        )

    async def mng_next_kyc_case(
        self,
        *,
        brand: str | UnsetType = UNSET,
        level: int | UnsetType = UNSET,
        step_code: str | UnsetType = UNSET,
        step_status: int | UnsetType = UNSET,
        risk_level: int | UnsetType = UNSET,
        waiting_from: int | UnsetType = UNSET,
        waiting_to: int | UnsetType = UNSET,
        order: Literal["age", "risk"] | UnsetType = UNSET,
        leaving: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> NextReply:
        """Claim the next case nobody works on.

        The filters of the queue. `leaving` is a case the caller is done looking at: it is let go of, and not given.

        - brand: Only cases of this brand.
        - level: Only with this level asked for; -1 is any; -1 when left out.
        - step_code: Only where this step is pending, or has `step_status`; "" when left out.
        - step_status: Only with a step in this status; -1 is any; -1 when left out.
        - risk_level: Only customers this risky; -1 is any; -1 when left out.
        - waiting_from: Not waiting before this time, Unix seconds; 0 is any; 0 when left out.
        - waiting_to: Not waiting after this time, Unix seconds; 0 is any; 0 when left out.
        - order: risk: the riskiest first, of those the oldest; age: the oldest first; "risk" when left out.
        - leaving: A case the caller leaves: let go of if held, and not given now; 0 is none; 0 when left out.
        """
        return await self.call(
            "MngNextKycCase",
            given(
                brand=brand,
                level=level,
                step_code=step_code,
                step_status=step_status,
                risk_level=risk_level,
                waiting_from=waiting_from,
                waiting_to=waiting_to,
                order=order,
                leaving=leaving,
            ),
            NextReply,
            idempotency_key=idempotency_key,
        )

    async def mng_claim_kyc_case(
        self,
        *,
        kyc_id: int,
        version: int | UnsetType = UNSET,
        take_over: bool | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> CaseReply:
        """Claim a case.

        The case to work on; `take_over` takes it from whoever holds it, which only ADMIN and CRM_ADMIN may.

        - kyc_id: The case.
        - version: Refuse the write when the record has another version by now.
        - take_over: Take it from whoever holds it; false when left out.
        """
        return await self.call(
            "MngClaimKycCase",
            given(
                kyc_id=kyc_id,
                version=version,
                take_over=take_over,
            ),
            CaseReply,
            idempotency_key=idempotency_key,
        )

    async def mng_renew_kyc_case(
        self,
        *,
        kyc_id: int,
        version: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> CaseReply:
        """Keep a case for another lease.

        The case the caller works on.

        - kyc_id: The case.
        - version: Refuse the write when the record has another version by now.
        """
        return await self.call(
            "MngRenewKycCase",
            given(
                kyc_id=kyc_id,
                version=version,
            ),
            CaseReply,
            idempotency_key=idempotency_key,
        )

    async def mng_release_kyc_case(
        self,
        *,
        kyc_id: int,
        version: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Let a case go.

        The case the caller works on.

        - kyc_id: The case.
        - version: Refuse the write when the record has another version by now.
        """
        return await self.call(
            "MngReleaseKycCase",
            given(
                kyc_id=kyc_id,
                version=version,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_case(
        self,
        *,
        kyc_id: int,
    ) -> CaseReply:
        """Show who works on a case, and what of it waits.

        The case to show.

        - kyc_id: The profile.
        """
        return await self.call(
            "MngGetKycCase",
            given(
                kyc_id=kyc_id,
            ),
            CaseReply,
        )

    async def mng_add_kyc_note(
        self,
        *,
        kyc_id: int,
        text: str,
        idempotency_key: str | None = None,
    ) -> NoteReply:
        """Write a note about a case, for reviewers only.

        What to write down about a case; it cannot be changed later.

        - kyc_id: The profile.
        - text: What was written down.
        """
        return await self.call(
            "MngAddKycNote",
            given(
                kyc_id=kyc_id,
                text=text,
            ),
            NoteReply,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_notes(
        self,
        *,
        kyc_id: int,
    ) -> NoteList:
        """Show the notes on a case.

        The case whose notes to show.

        - kyc_id: The profile.
        """
        return await self.call(
            "MngGetKycNotes",
            given(
                kyc_id=kyc_id,
            ),
            NoteList,
        )

    async def mng_get_kyc_reasons(
        self,
        *,
        brand: str,
    ) -> ReasonList:
        """List the reasons offered for rejections.

        The brand whose reasons to list.

        - brand: The brand, case-sensitive.
        """
        return await self.call(
            "MngGetKycReasons",
            given(
                brand=brand,
            ),
            ReasonList,
        )

    async def mng_get_kyc_filters(self) -> FilterList:
        """List the caller's filters of the queue.

        Nothing: the token says whose.
        """
        return await self.call(
            "MngGetKycFilters",
            {},
            FilterList,
        )

    async def mng_save_kyc_filter(
        self,
        *,
        name: str,
        filter: dict[str, Any],
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Keep a filter of the queue under a name.

        A name, and the filters and order of MngGetKycQueue to keep under it; one of that name is replaced.

        - name: The name of the filter.
        - filter: Filters and order of MngGetKycQueue.
        """
        return await self.call(
            "MngSaveKycFilter",
            given(
                name=name,
                filter=filter,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_delete_kyc_filter(
        self,
        *,
        name: str,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Forget a filter of the queue.

        The filter to forget.

        - name: The name of the filter.
        """
        return await self.call(
            "MngDeleteKycFilter",
            given(
                name=name,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_search_kyc(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        checksum: str | UnsetType = UNSET,
        file_name: str | UnsetType = UNSET,
        document_type: str | UnsetType = UNSET,
        field: str | UnsetType = UNSET,
        value: str | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> SearchReply:
        """Find profiles by customer, document or answer; every search is in the audit.

        What to find profiles by, all of it together, at least one besides the brand; texts are matched as a whole.

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - customer_id: Only rows of this customer; 0 when left out.
        - checksum: SHA-256 of the file, hexadecimal; "" when left out.
        - file_name: The name of the file, from storage; "" when left out.
        - document_type: What a document of the profile is, in the words of the brand; "" when left out.
        - field: A field whose answers may be searched (MngGetKycSearchFields), with `value`; the audit names it; ""
          when left out.
        - value: The answer, as a whole; case and spaces do not count. It is not in the audit; "" when left out.
        - brand: Only rows of this brand.
        """
        return await self.call(
            "MngSearchKyc",
            given(
                limit=limit,
                offset=offset,
                after=after,
                customer_id=customer_id,
                checksum=checksum,
                file_name=file_name,
                document_type=document_type,
                field=field,
                value=value,
                brand=brand,
            ),
            SearchReply,
            idempotency_key=idempotency_key,
        )

    async def mng_note_kyc_access(
        self,
        *,
        action: Literal["download", "export", "search", "view"],
        kyc_id: int | UnsetType = UNSET,
        document_id: int | UnsetType = UNSET,
        details: dict[str, Any] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Write into the audit who looked at, fetched or exported what.

        What somebody looked at, for the audit: a profile, one of its documents, or neither for a search or an export.

        - action: What was done: view, download, export or search.
        - kyc_id: The profile; 0 when left out.
        - document_id: The document; 0 is none; 0 when left out.
        - details: What else there is to know of it, at most 4096 bytes; {} when left out.
        """
        return await self.call(
            "MngNoteKycAccess",
            given(
                action=action,
                kyc_id=kyc_id,
                document_id=document_id,
                details=details,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_duplicates(
        self,
        *,
        kyc_id: int,
    ) -> DuplicateList:
        """Tell which files of a case other customers have handed in too.

        The case whose files to look for elsewhere.

        - kyc_id: The profile.
        """
        return await self.call(
            "MngGetKycDuplicates",
            given(
                kyc_id=kyc_id,
            ),
            DuplicateList,
        )

    async def mng_get_kyc_template_impact(
        self,
        *,
        brand: str,
        level: int,
        id: int | UnsetType = UNSET,
        required: int | UnsetType = UNSET,
        status: TemplateStatus | UnsetType = UNSET,
    ) -> ImpactReply:
        """Count the profiles a template concerns.

        A template as it would be saved; `id` is that of the one to be changed, left out for a new one.

        - brand: The brand, case-sensitive.
        - level: The KYC level.
        - id: The id of the record; 0 when left out.
        - required: 1 when the step must be passed, 0 when it may be left out; 1 when left out.
        - status: Where the record stands; 0 when left out.
        """
        return await self.call(
            "MngGetKycTemplateImpact",
            given(
                brand=brand,
                level=level,
                id=id,
                required=required,
                status=status,
            ),
            ImpactReply,
        )

    async def mng_get_kyc_search_fields(self) -> SearchFields:
        """Tell by the answers to which fields profiles may be searched.

        No data.
        """
        return await self.call(
            "MngGetKycSearchFields",
            {},
            SearchFields,
        )

    async def mng_get_kyc_statistics(
        self,
        *,
        brand: str | UnsetType = UNSET,
        time_from: int | UnsetType = UNSET,
        time_to: int | UnsetType = UNSET,
    ) -> StatisticsReply:
        """Tell how much was decided and how fast, what waits and what runs out.

        The days to tell of, both ends included, of UTC: of 366 days at most; without times the last 30.

        - brand: The brand, case-sensitive.
        - time_from: Not before this time, Unix seconds; 0 is any; 0 when left out.
        - time_to: Not after this time, Unix seconds; 0 is any; 0 when left out.
        """
        return await self.call(
            "MngGetKycStatistics",
            given(
                brand=brand,
                time_from=time_from,
                time_to=time_to,
            ),
            StatisticsReply,
        )

    async def mng_get_kyc_deliveries(
        self,
        *,
        brand: str | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
        state: Literal["", "dead", "delivered", "dropped", "waiting"] | UnsetType = UNSET,
        channel: str | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
    ) -> DeliveryList:
        """Show what is told to others by webhooks and callbacks, newest first.

        Filters; one that is left out means "any", and so do 0 and an empty text. `after` is the `next` of a page.

        - brand: Only of this brand.
        - customer_id: The customer; 0 when left out.
        - state: Only waiting, delivered, dead or dropped ones; "" when left out.
        - channel: Only this channel; "" when left out.
        - limit: At most so many rows; 100 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        """
        return await self.call(
            "MngGetKycDeliveries",
            given(
                brand=brand,
                customer_id=customer_id,
                state=state,
                channel=channel,
                limit=limit,
                after=after,
            ),
            DeliveryList,
        )

    async def mng_replay_kyc_delivery(
        self,
        *,
        id: int | UnsetType = UNSET,
        channel: str | UnsetType = UNSET,
        from_seq: int | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """Try deliveries again that wait or were given up, or tell a channel anew.

        One delivery that waits or was given up; or a channel, for all of it that were given up.      With `from_seq`
        the channel is told all its events anew from this number of the feed on.

        - id: The delivery; 0 when a channel is named; 0 when left out.
        - channel: All of this channel that were given up; "" when left out.
        - from_seq: Tell the channel all its events anew from this number on; 0 when left out.
        """
        return await self.call(
            "MngReplayKycDelivery",
            given(
                id=id,
                channel=channel,
                from_seq=from_seq,
            ),
            Accepted,
            idempotency_key=idempotency_key,
        )

    async def mng_link_kyc_identity(
        self,
        *,
        id: int,
        customer_id: int,
        idempotency_key: str | None = None,
    ) -> IdentityReply:
        """Have the identity of a wallet stand for a customer of the CRM.

        The identity, and the CRM's own customer it is to stand for.

        - id: The id of the record.
        - customer_id: The customer of the CRM.
        """
        return await self.call(
            "MngLinkKycIdentity",
            given(
                id=id,
                customer_id=customer_id,
            ),
            IdentityReply,
            idempotency_key=idempotency_key,
        )

    async def mng_get_kyc_identities(
        self,
        *,
        limit: int | UnsetType = UNSET,
        offset: int | UnsetType = UNSET,
        after: str | UnsetType = UNSET,
        brand: str | UnsetType = UNSET,
        customer_id: int | UnsetType = UNSET,
    ) -> IdentityList:
        """List the identities of wallets.

        Filters; one that is left out means "any".

        - limit: At most so many rows; 100 when left out.
        - offset: Skip so many rows; `after` pages without its cost; 0 when left out.
        - after: The `next` of the page before; wins over `offset`; "" when left out.
        - brand: Only rows of this brand.
        - customer_id: Only rows of this customer.
        """
        return await self.call(
            "MngGetKycIdentities",
            given(
                limit=limit,
                offset=offset,
                after=after,
                brand=brand,
                customer_id=customer_id,
            ),
            IdentityList,
        )

    async def ping(self) -> Pong:
        """Tell that the daemon is alive.

        No data.
        """
        return await self.call(
            "Ping",
            {},
            Pong,
        )

    async def server_info(self) -> ServerFacts:
        """Tell what runs here.

        No data.
        """
        return await self.call(
            "ServerInfo",
            {},
            ServerFacts,
        )

    async def subscribe(
        self,
        *,
        chanels: list[str] | UnsetType = UNSET,
        channels: list[str] | UnsetType = UNSET,
        after_seq: int | None | UnsetType = UNSET,
    ) -> Accepted:
        """Push the events of channels to this connection.

        Channels, spelt `chanels` by the first clients; `after_seq` asks for what was missed since.

        - chanels: The channels, as the first clients spell the key; [] when left out.
        - channels: The channels: kyc, kyc:<brand>, kyc:<brand>:<customer_id>; others are ignored; [] when left out.
        - after_seq: Send first what happened after this number of the event feed; null when left out.
        """
        return await self.call(
            "Subscribe",
            given(
                chanels=chanels,
                channels=channels,
                after_seq=after_seq,
            ),
            Accepted,
        )

    async def unsubscribe(
        self,
        *,
        chanels: list[str] | UnsetType = UNSET,
        channels: list[str] | UnsetType = UNSET,
    ) -> Accepted:
        """Stop pushing the events of channels to this connection.

        Channels to leave.

        - chanels: The channels, as the first clients spell the key; [] when left out.
        - channels: The channels: kyc, kyc:<brand>, kyc:<brand>:<customer_id>; others are ignored; [] when left out.
        """
        return await self.call(
            "Unsubscribe",
            given(
                chanels=chanels,
                channels=channels,
            ),
            Accepted,
        )

    async def describe(self) -> TableReply:
        """Show every command with its types, access and errors.

        No data.
        """
        return await self.call(
            "Describe",
            {},
            TableReply,
        )
