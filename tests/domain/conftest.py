"""Builders of records whose every field has a plain value."""

from collections.abc import Callable
from typing import Any

import pytest

from kycmanager.domain.enums import (
    DocumentStatus,
    ProfileStatus,
    RiskLevel,
    StepStatus,
    StepType,
    TemplateStatus,
)
from kycmanager.domain.records import Document, FileFacts, Profile, Step, Template


@pytest.fixture(scope="session")
def template() -> Callable[..., Template]:
    def build(**changes: Any) -> Template:
        values: dict[str, Any] = {
            "id": 7,
            "brand": "acme",
            "level": 3,
            "code": "passport",
            "name": "Passport",
            "description": "",
            "step_type": StepType.DOCUMENT,
            "required": 1,
            "status": TemplateStatus.ACTIVE,
            "sort_index": 0,
            "requirements": {},
            "form_schema": {},
            "created_time": 10,
            "updated_time": 20,
            "version": 4,
        }
        return Template(**(values | changes))

    return build


@pytest.fixture(scope="session")
def profile() -> Callable[..., Profile]:
    def build(**changes: Any) -> Profile:
        values: dict[str, Any] = {
            "id": 5,
            "customer_id": 42,
            "brand": "acme",
            "status": ProfileStatus.NONE,
            "current_level": 0,
            "required_level": 0,
            "risk_level": RiskLevel.UNKNOWN,
            "created_time": 100,
            "updated_time": 200,
            "version": 1,
        }
        return Profile(**(values | changes))

    return build


@pytest.fixture(scope="session")
def step() -> Callable[..., Step]:
    def build(**changes: Any) -> Step:
        values: dict[str, Any] = {
            "id": 1,
            "customer_id": 42,
            "kyc_id": 5,
            "brand": "acme",
            "template_id": 7,
            "template_version": 1,
            "level": 1,
            "code": "passport",
            "name": "Passport",
            "step_type": StepType.DOCUMENT,
            "required": 1,
            "explicit": 0,
            "status": StepStatus.REQUIRED,
            "answers": {},
            "submitted_time": 0,
            "created_time": 100,
            "updated_time": 200,
            "reviewed_time": 0,
            "reviewed_by": 0,
            "reason": "",
            "comment": "",
            "expire_time": 0,
            "version": 1,
        }
        return Step(**(values | changes))

    return build


@pytest.fixture(scope="session")
def document() -> Callable[..., Document]:
    def build(**changes: Any) -> Document:
        values: dict[str, Any] = {
            "id": 1,
            "customer_id": 42,
            "kyc_id": 5,
            "step_id": 1,
            "brand": "acme",
            "type": "passport",
            "status": DocumentStatus.UPLOADED,
            "file_id": "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c",
            "file_name": "passport.pdf",
            "content_type": "application/pdf",
            "file_size": 3,
            "checksum": "00",
            "created_time": 100,
            "updated_time": 200,
            "reviewed_time": 0,
            "reviewed_by": 0,
            "reason": "",
            "comment": "",
            "expire_time": 0,
            "version": 1,
        }
        return Document(**(values | changes))

    return build


@pytest.fixture(scope="session")
def file_facts() -> Callable[..., FileFacts]:
    def build(**changes: Any) -> FileFacts:
        values: dict[str, Any] = {
            "file_id": "0b8f9c62-6a3c-4f6e-9d4e-0f6c2d5a1b3c",
            "file_name": "passport.pdf",
            "content_type": "application/pdf",
            "file_size": 3,
            "checksum": "00",
            "owner_kind": "customer",
            "owner_id": 42,
            "brand": "acme",
        }
        return FileFacts(**(values | changes))

    return build
