"""The pages' addresses."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from review.pages import (
    break_,
    dashboard,
    deliveries,
    exports,
    journey,
    models,
    proposals,
    quarantine,
    queue,
    runs,
    search,
    why,
)
from review.pages.uploads import PAGES, upload_urls

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("sign-in/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("queue/", queue.queue, name="queue"),
    path("breaks/<int:pk>/", break_.break_, name="break"),
    path("breaks/<int:pk>/preview/", break_.preview, name="preview"),
    path("breaks/<int:pk>/why/", why.why_page, name="why"),
    path("breaks/<int:pk>/similar/", why.similar_page, name="similar"),
    path("breaks/<int:pk>/decide/", break_.decide_break, name="decide"),
    path("breaks/<int:pk>/waive/", break_.waive_check, name="waive"),
    path("decisions/<int:pk>/confirm/", break_.confirm_decision, name="confirm"),
    path("decisions/<int:pk>/undo/", break_.undo_decision, name="undo"),
    path("search/", search.search, name="search"),
    path("journey/", journey.journey_page, name="journey"),
    path("journey/export/", journey.export_journey, name="export_journey"),
    path("journey/public-key.pem", journey.public_key_file, name="public_key"),
    path("exports/", exports.exports, name="exports"),
    path("exports/choose/", exports.choose, name="choose_export"),
    path("exports/ask/", exports.ask, name="ask_export"),
    path("exports/<int:pk>/file/", exports.download, name="export_file"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run_page, name="run"),
    path("runs/<int:pk>/statement.csv", runs.statement, name="statement"),
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/<int:pk>/", deliveries.delivery, name="delivery"),
    path("deliveries/<int:pk>/changes/", deliveries.changes, name="changes"),
    *upload_urls(PAGES),
    path("deliveries/<int:pk>/replay/", quarantine.replay_delivery, name="replay"),
    path("deliveries/<int:pk>/read-again/", quarantine.read_delivery_again, name="read_again"),
    path("proposals/<int:pk>/answer/", proposals.answer_proposal, name="answer_proposal"),
    path("models/", models.models, name="models"),
    path("models/<int:pk>/", models.model_page, name="model"),
    path("models/<int:pk>/answer/", models.answer_model, name="answer_model"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/<int:pk>/", quarantine.quarantined, name="quarantined"),
    path("quarantine/<int:pk>/answer/", quarantine.answer_row, name="answer_row"),
]
