"""Messages that every group uses: object metadata, selectors, conditions, options of deletions."""

from reconciler_sandbox.apiserver.protobuf.fields import Tables

META: Tables = {
    "ObjectMeta": (
        "1 name, 2 generateName, 3 namespace, 4 selfLink, 5 uid, 6 resourceVersion, 7 generation int, 8 creationTimestamp Time, "
        "9 deletionTimestamp? Time, 10 deletionGracePeriodSeconds? int, 11 labels{}, 12 annotations{}, "
        "13 ownerReferences[] OwnerReference, 14 finalizers[], 17 managedFields[] ManagedFieldsEntry"
    ),
    "OwnerReference": "1 kind, 3 name, 4 uid, 5 apiVersion, 6 controller? bool, 7 blockOwnerDeletion? bool",
    "ManagedFieldsEntry": "1 manager, 2 operation, 3 apiVersion, 4 time? Time, 6 fieldsType, 7 fieldsV1? Raw, 8 subresource",
    "LabelSelector": "1 matchLabels{}, 2 matchExpressions[] Requirement",
    "Requirement": "1 key, 2 operator, 3 values[]",
    "Condition": "1 type, 2 status, 3 observedGeneration int, 4 lastTransitionTime Time, 5 reason!, 6 message!",
    # Two older forms of conditions: ReplicaSets, StatefulSets, DaemonSets and autoscalers; Jobs and (with one more) Pods.
    "ShortCondition": "1 type, 2 status, 3 lastTransitionTime Time, 4 reason, 5 message",
    "ProbedCondition": ("1 type, 2 status, 3 lastProbeTime Time, 4 lastTransitionTime Time, 5 reason, 6 message, 7 observedGeneration int"),
    "DeleteOptions": (
        "1 gracePeriodSeconds? int, 2 preconditions? Preconditions, 3 orphanDependents? bool, 4 propagationPolicy?, 5 dryRun[], "
        "6 ignoreStoreReadErrorWithClusterBreakingPotential? bool"
    ),
    "Preconditions": "1 uid?, 2 resourceVersion?",
    "ObjectReference": "1 kind, 2 namespace, 3 name, 4 uid, 5 apiVersion, 6 resourceVersion, 7 fieldPath",
    "LocalObjectReference": "1 name",
    "TypedLocalObjectReference": "1 apiGroup?, 2 kind, 3 name",
    "TypedObjectReference": "1 apiGroup?, 2 kind, 3 name, 4 namespace?",
}
