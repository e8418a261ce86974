"""Addresses of the API."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from review.api.alerts import AlertViewSet, ChoicesView, ChoiceView
from review.api.audit import AuditViewSet
from review.api.blind_audits import BlindAuditViewSet
from review.api.break_gate import BreakGateView
from review.api.break_people import AssigneesView, MentionsView
from review.api.breaks import BreakViewSet
from review.api.bulk import BulkPreviewView, BulkViewSet
from review.api.bulk_answers import BulkAnswerViewSet
from review.api.comments import CommentsView, WithdrawCommentView
from review.api.counts import CountsView
from review.api.decisions import DecisionViewSet
from review.api.deliveries import DeliveryViewSet
from review.api.exports import ExportColumnsView, ExportViewSet
from review.api.gates import GatesView, GateView, ReopenGateView
from review.api.history import SetUpHistoryView
from review.api.incidents import IncidentViewSet
from review.api.journey import JourneyView, PublicKeyView, SearchView, SignedJourneyView
from review.api.labels import LabelImportsView
from review.api.models import ModelViewSet, TrainingViewSet
from review.api.nowhere import NoSuchAddress
from review.api.overview import ArrivalsView, FiguresView, WorkView
from review.api.proposals import ProposalViewSet
from review.api.push import PushView, ReceiptView, SealView
from review.api.quarantine import QuarantineViewSet, ReadAgainView, ReplayView
from review.api.queue_views import QueueLookView, SavedViewsView, SavedViewView
from review.api.rejects import RejectsView
from review.api.runs import RunViewSet
from review.api.second_opinions import OpinionViewSet
from review.api.stored import StoredView
from review.api.trials import DeliveryTrialsView
from review.api.vocabulary import ReasonsView, ReconciliationsView, SourcesView

router = SimpleRouter(use_regex_path=True)
router.trailing_slash = "/?"  # with and without the last slash
router.register("runs", RunViewSet, basename="api-run")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
router.register("quarantine", QuarantineViewSet, basename="api-quarantine")
router.register("bulk-answers", BulkAnswerViewSet, basename="api-quarantine-answer")
router.register("proposals", ProposalViewSet, basename="api-proposal")
router.register("exports", ExportViewSet, basename="api-export")
router.register("audit", AuditViewSet, basename="api-audit")
router.register("incidents", IncidentViewSet, basename="api-incident")
router.register("bulk-decisions", BulkViewSet, basename="api-bulk")
router.register("models", ModelViewSet, basename="api-model")
router.register("trainings", TrainingViewSet, basename="api-training")
router.register("second-opinions", OpinionViewSet, basename="api-second-opinion")
router.register("alerts", AlertViewSet, basename="api-alert")
router.register("decisions", DecisionViewSet, basename="api-decision")
router.register("breaks", BreakViewSet, basename="api-break")
router.register("blind-audits", BlindAuditViewSet, basename="api-blind-audit")

urlpatterns = [
    re_path(r"^store/(?P<code>[-\w]+)/?$", StoredView.as_view(), name="api-stored"),
    re_path(r"^sources/(?P<code>[-\w]+)/records/?$", PushView.as_view(), name="api-push"),
    re_path(r"^sources/(?P<code>[-\w]+)/seal/?$", SealView.as_view(), name="api-seal"),
    re_path(r"^sources/(?P<code>[-\w]+)/rejects/?$", RejectsView.as_view(), name="api-rejects"),
    re_path(r"^deliveries/(?P<pk>\d{1,18})/replay/?$", ReplayView.as_view(), name="api-replay"),
    re_path(r"^deliveries/(?P<pk>\d{1,18})/read-again/?$", ReadAgainView.as_view(), name="api-read-again"),
    re_path(r"^receipts/(?P<pk>\d{1,18})/?$", ReceiptView.as_view(), name="api-receipt"),
    re_path(r"^breaks/(?P<pk>\d{1,18})/comments/?$", CommentsView.as_view(), name="api-comments"),
    re_path(r"^comments/(?P<pk>\d{1,18})/withdraw/?$", WithdrawCommentView.as_view(), name="api-withdraw-comment"),
    re_path(r"^breaks/counts/?$", CountsView.as_view(), name="api-break-counts"),
    re_path(r"^breaks/(?P<pk>\d{1,18})/gate/?$", BreakGateView.as_view(), name="api-break-gate"),
    re_path(r"^breaks/(?P<pk>\d{1,18})/assignees/?$", AssigneesView.as_view(), name="api-break-assignees"),
    re_path(r"^breaks/(?P<pk>\d{1,18})/mentions/?$", MentionsView.as_view(), name="api-break-mentions"),
    re_path(r"^gates/?$", GatesView.as_view(), name="api-gates"),
    re_path(r"^gates/(?P<code>[-\w]+)/?$", GateView.as_view(), name="api-gate"),
    re_path(r"^gates/(?P<code>[-\w]+)/reopen/?$", ReopenGateView.as_view(), name="api-reopen-gate"),
    re_path(r"^alert-choices/?$", ChoicesView.as_view(), name="api-alert-choices"),
    re_path(r"^alert-choices/(?P<event>[-.\w]+)/?$", ChoiceView.as_view(), name="api-alert-choice"),
    re_path(r"^delivery-trials/?$", DeliveryTrialsView.as_view(), name="api-delivery-trials"),
    re_path(r"^export-columns/?$", ExportColumnsView.as_view(), name="api-export-columns"),
    re_path(r"^figures/?$", FiguresView.as_view(), name="api-figures"),
    re_path(r"^work/?$", WorkView.as_view(), name="api-work"),
    re_path(r"^arrivals/?$", ArrivalsView.as_view(), name="api-arrivals"),
    re_path(
        r"^set-up-history/(?P<kind>[-\w]+)/(?P<pk>\d{1,18})/?$", SetUpHistoryView.as_view(), name="api-set-up-history"
    ),
    re_path(r"^reconciliations/?$", ReconciliationsView.as_view(), name="api-reconciliations"),
    re_path(r"^sources/?$", SourcesView.as_view(), name="api-sources"),
    re_path(r"^reasons/?$", ReasonsView.as_view(), name="api-reasons"),
    re_path(r"^bulk-previews/?$", BulkPreviewView.as_view(), name="api-bulk-previews"),
    re_path(r"^label-imports/?$", LabelImportsView.as_view(), name="api-label-imports"),
    re_path(r"^queue-views/?$", SavedViewsView.as_view(), name="api-queue-views"),
    re_path(r"^queue-views/(?P<pk>\d{1,18})/?$", SavedViewView.as_view(), name="api-queue-view"),
    re_path(r"^queue-look/?$", QueueLookView.as_view(), name="api-queue-look"),
    re_path(r"^journey/?$", JourneyView.as_view(), name="api-journey"),
    re_path(r"^journey/signed/?$", SignedJourneyView.as_view(), name="api-signed-journey"),
    re_path(r"^journey/public-key/?$", PublicKeyView.as_view(), name="api-public-key"),
    re_path(r"^search/?$", SearchView.as_view(), name="api-search"),
    path("", include(router.urls)),
    re_path(r"", NoSuchAddress.as_view()),
]
