"""Which routers exist, by their key in `trafficRouting`, in the order in which they are routed (contract 1.7)."""

from reconciler.rollouts.traffic.router import PLUGINS, Routers
from reconciler.routers.alb import Alb
from reconciler.routers.ambassador import Ambassador
from reconciler.routers.apisix import Apisix
from reconciler.routers.app_mesh import AppMesh
from reconciler.routers.gateway_api import PLUGIN, GatewayApi
from reconciler.routers.istio import Istio
from reconciler.routers.nginx import Nginx
from reconciler.routers.smi import Smi
from reconciler.routers.traefik import Traefik

ROUTERS: Routers = {
    "istio": Istio(),
    "nginx": Nginx(),
    "alb": Alb(),
    "smi": Smi(),
    "ambassador": Ambassador(),
    "appMesh": AppMesh(),
    "traefik": Traefik(),
    "apisix": Apisix(),
    f"{PLUGINS}.{PLUGIN}": GatewayApi(),
}
