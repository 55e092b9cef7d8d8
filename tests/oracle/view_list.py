"""Every view, by its name."""

import views
import views_admission
import views_history

VIEWS = {
    view.__name__: view
    for view in (
        views.requests,
        views.unfinished_requests,
        views.exec_sessions,
        views.object_writes,
        views.secret_reads,
        views.rbac_changes,
        views.rbac_history,
        views.pod_specs,
        views.containers,
        views_admission.denials,
        views_admission.admission_decisions,
        views_history.object_versions,
        views_history.credentials,
        views_history.sessions,
        views_history.log_gaps,
    )
}
