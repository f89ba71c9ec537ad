"""A stand-in of Elastic Load Balancing v2 on loopback. It takes signed queries in the vendor's form only, and answers its XML."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from reconciler.aws.signing import Keys
from tests.kit.signatures import Request, genuine

VERSION = "2015-12-01"
REGION = "eu-west-1"
KEYS = Keys("AKIDEXAMPLE", "elb-hunter2", "session-hunter2-session")
FORBIDDEN = frozenset({"AccessDenied", "SignatureDoesNotMatch", "MissingAuthenticationToken"})
ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
BALANCER = f"{ARN}:loadbalancer/app/shop/50dc6c495c0c9188"
LISTENER = f"{ARN}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
HOSTNAME = "shop-1.eu-west-1.elb.amazonaws.com"
ASKED: Mapping[str, re.Pattern[str]] = {
    "DescribeLoadBalancers": re.compile(r"Marker|PageSize"),
    "DescribeTargetGroups": re.compile(r"LoadBalancerArn|Marker"),
    "DescribeListeners": re.compile(r"LoadBalancerArn|Marker"),
    "DescribeRules": re.compile(r"ListenerArn|Marker"),
    "DescribeTags": re.compile(r"ResourceArns\.member\.\d+"),
    "DescribeTargetHealth": re.compile(r"TargetGroupArn"),
}
"""The parameters that each action takes here."""


def group_arn(name: str) -> str:
    return f"{ARN}:targetgroup/{name}/73e2d6bc24d8a067"


@dataclass
class Elb:
    """What it has: target groups by name with the tag that says what they are for, and their weight in the one rule.

    `refusing` is the code of an error, with words; `instead` is answered whatever is asked.
    """

    resources: dict[str, str] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refusing: str = ""
    saying: str = "no"
    instead: bytes = b""
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, asked: dict[str, str]) -> str:
        """The result of one action. Raises ValueError with the vendor's code for what it would not take."""
        action, version = asked.get("Action", ""), asked.get("Version")
        if version != VERSION or action not in ASKED:
            raise ValueError("InvalidAction")
        others = [name for name in asked if name not in ("Action", "Version")]
        if any(not ASKED[action].fullmatch(name) for name in others):
            raise ValueError("ValidationError")
        if self.refusing:
            raise ValueError(self.refusing)
        named = {"DescribeTargetGroups": "LoadBalancerArn", "DescribeListeners": "LoadBalancerArn", "DescribeRules": "ListenerArn"}.get(
            action
        )
        if named and asked.get(named) not in (BALANCER, LISTENER):
            raise ValueError("ValidationError")
        self.asked.append(asked)
        return {
            "DescribeLoadBalancers": self._balancers,
            "DescribeTargetGroups": self._groups,
            "DescribeListeners": lambda _: f"<Listeners><member><ListenerArn>{LISTENER}</ListenerArn></member></Listeners>",
            "DescribeRules": self._rules,
            "DescribeTags": self._tags,
            "DescribeTargetHealth": self._health,
        }[action](asked)

    def _balancers(self, asked: dict[str, str]) -> str:
        """Two pages: the one that is looked for stands on the second."""
        name, arn, host, more = "shop", BALANCER, HOSTNAME, ""
        if "Marker" not in asked:
            name, arn, host, more = "other", f"{ARN}:loadbalancer/app/other/1", "other.elb.amazonaws.com", "<NextMarker>page-2</NextMarker>"
        body = f"<LoadBalancerArn>{arn}</LoadBalancerArn><LoadBalancerName>{name}</LoadBalancerName><DNSName>{host}</DNSName>"
        return f"<LoadBalancers><member>{body}</member></LoadBalancers>{more}"

    def _groups(self, asked: dict[str, str]) -> str:
        bodies = (f"<TargetGroupArn>{group_arn(n)}</TargetGroupArn><TargetGroupName>{n}</TargetGroupName>" for n in self.resources)
        return f"<TargetGroups>{''.join(f'<member>{body}</member>' for body in bodies)}</TargetGroups>"

    def _rules(self, asked: dict[str, str]) -> str:
        tuples = (f"<TargetGroupArn>{group_arn(n)}</TargetGroupArn><Weight>{w}</Weight>" for n, w in self.weights.items())
        groups = "".join(f"<member>{one}</member>" for one in tuples)
        action = f"<Type>forward</Type><ForwardConfig><TargetGroups>{groups}</TargetGroups></ForwardConfig>"
        fixed = "<Type>fixed-response</Type><FixedResponseConfig><StatusCode>404</StatusCode></FixedResponseConfig>"
        rules = "".join(f"<member><RuleArn>r</RuleArn><Actions><member>{a}</member></Actions></member>" for a in (action, fixed))
        return f"<Rules>{rules}</Rules>"

    def _health(self, asked: dict[str, str]) -> str:
        known = {group_arn(name): addresses for name, addresses in self.targets.items()}
        if asked.get("TargetGroupArn") not in known:
            raise ValueError("TargetGroupNotFound")
        pairs = (address.split(":") for address in known[asked["TargetGroupArn"]])
        told = "".join(
            f"<member><Target><Id>{ip}</Id><Port>{port}</Port></Target><TargetHealth><State>initial</State></TargetHealth></member>"
            for ip, port in pairs
        )
        return f"<TargetHealthDescriptions>{told}</TargetHealthDescriptions>"

    def _tags(self, asked: dict[str, str]) -> str:
        arns = [value for name, value in asked.items() if name.startswith("ResourceArns.")]
        if not 0 < len(arns) <= 20:
            raise ValueError("ValidationError")
        by_arn = {group_arn(name): resource for name, resource in self.resources.items()}
        if any(arn not in by_arn for arn in arns):
            raise ValueError("TargetGroupNotFound")
        told = "".join(
            f"<member><ResourceArn>{arn}</ResourceArn><Tags><member><Key>ingress.k8s.aws/resource</Key>"
            f"<Value>{escape(by_arn[arn])}</Value></member></Tags></member>"
            for arn in arns
        )
        return f"<TagDescriptions>{told}</TagDescriptions>"


@contextmanager
def serving(elb: Elb) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = dict(parse_qsl(body, keep_blank_values=True))
            try:
                self._check(body)
                status, text = 200, self._result(asked["Action"], elb.answer(asked))
            except ValueError as error:
                said = f"<Type>Sender</Type><Code>{error}</Code><Message>{escape(elb.saying)}</Message>"
                status = 403 if str(error) in FORBIDDEN else 400
                text = f"<ErrorResponse><Error>{said}</Error></ErrorResponse>"
            sent = elb.instead or text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def _check(self, body: str) -> None:
            """Raises ValueError for what is not signed by the one account that there is, for this service, over all that arrived."""
            if "Authorization" not in self.headers:
                raise ValueError("MissingAuthenticationToken")
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            try:
                scope = genuine(request, f"http://{self.headers['Host']}", KEYS)
            except AssertionError as error:
                raise ValueError("SignatureDoesNotMatch") from error
            if scope != (REGION, "elasticloadbalancing"):
                raise ValueError("SignatureDoesNotMatch")

        def _result(self, action: str, body: str) -> str:
            space = f"http://elasticloadbalancing.amazonaws.com/doc/{VERSION}/"
            return f'<{action}Response xmlns="{space}"><{action}Result>{body}</{action}Result></{action}Response>'

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
