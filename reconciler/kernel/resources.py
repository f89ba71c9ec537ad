"""Which resources we speak to: one constant each, also the list behind `deploy/`'s RBAC."""

from reconciler.kernel.identity import Resource

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints")
EVENTS = Resource("", "v1", "events", "Event")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICES = Resource("", "v1", "services", "Service")
POD_TEMPLATES = Resource("", "v1", "podtemplates", "PodTemplate")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
JOBS = Resource("batch", "v1", "jobs", "Job")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")

ROLLOUTS = Resource("argoproj.io", "v1alpha1", "rollouts", "Rollout")
ANALYSIS_RUNS = Resource("argoproj.io", "v1alpha1", "analysisruns", "AnalysisRun")
ANALYSIS_TEMPLATES = Resource("argoproj.io", "v1alpha1", "analysistemplates", "AnalysisTemplate")
CLUSTER_ANALYSIS_TEMPLATES = Resource("argoproj.io", "v1alpha1", "clusteranalysistemplates", "ClusterAnalysisTemplate", namespaced=False)
EXPERIMENTS = Resource("argoproj.io", "v1alpha1", "experiments", "Experiment", optional=True)

VIRTUAL_SERVICES = Resource("networking.istio.io", "v1alpha3", "virtualservices", "VirtualService", optional=True)
DESTINATION_RULES = Resource("networking.istio.io", "v1alpha3", "destinationrules", "DestinationRule", optional=True)
TARGET_GROUP_BINDINGS = Resource("elbv2.k8s.aws", "v1beta1", "targetgroupbindings", "TargetGroupBinding", optional=True)
GATEWAYS = Resource("networking.istio.io", "v1alpha3", "gateways", "Gateway")

RELEASES = Resource("reconciler.dev", "v1alpha1", "releases", "Release")
RELEASE_POLICIES = Resource("reconciler.dev", "v1alpha1", "releasepolicies", "ReleasePolicy")
CLUSTER_RELEASE_POLICIES = Resource("reconciler.dev", "v1alpha1", "clusterreleasepolicies", "ClusterReleasePolicy", namespaced=False)
