"""Metadata services of the clouds, as strict as the real ones: each answers its own paths, and only to a request with the
method and headers it demands. Keeps every request."""

import datetime
import http.server
import json
import threading


class Reply:
    """What a service says to one request; `needs` are headers without which it says `refusal` instead."""

    def __init__(self, body, kind="text/plain", needs=None, refusal=400, status=200, headers=None):
        self.body = json.dumps(body).encode() if isinstance(body, (dict, list)) else str(body).encode()
        self.kind = "application/json" if isinstance(body, (dict, list)) else kind
        self.needs, self.refusal, self.status, self.headers = needs or {}, refusal, status, headers or {}


class MetadataService:
    """Answers "METHOD path" as `replies` says (a Reply, or a list of them, one for each time), 404 to anything else."""

    def __init__(self, replies=None):
        self.replies = replies or {}
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                reply = outer.replies.get(f"{self.command} {self.path}", Reply("not found", status=404))
                if isinstance(reply, list):
                    reply = reply.pop(0) if len(reply) > 1 else reply[0]
                if callable(reply):
                    reply(self)
                    self.close_connection = True
                    return
                missing = any(self.headers.get(name) != value for name, value in reply.needs.items())
                # As AWS, Google and Oracle do with what looks forwarded.
                forwarded = any(name.lower() in ("x-forwarded-for", "forwarded", "via") for name in self.headers)
                status = reply.refusal if missing or forwarded else reply.status
                content = b"refused" if missing or forwarded else reply.body
                self.send_response_only(status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", reply.kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_HEAD = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # several questions come at once

            def handle_error(self, *_):
                pass  # the agent hangs up on what it does not want to read

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def paths(self):
        return [f"{method} {path}" for method, path, _, _ in self.requests]


IMDS = "169.254.169.254"
SECRET = "SECRET-7f3a"  # planted wherever a service has something that is nobody's business

# ---- what each service says ------------------------------------------------------------------------------

AWS_TOKEN = {"PUT /latest/api/token": Reply(f"{SECRET}-token==", needs={"X-aws-ec2-metadata-token-ttl-seconds": "300"})}
AWS_WITH_TOKEN = {"needs": {"X-aws-ec2-metadata-token": f"{SECRET}-token=="}, "refusal": 401}


def aws(life_cycle="spot", domain="amazonaws.com"):
    document = {
        "accountId": SECRET,
        "architecture": "x86_64",
        "availabilityZone": "us-east-1b",
        "instanceId": "i-0123456789abcdef0",
        "instanceType": "p5.48xlarge",
        "privateIp": "10.0.0.7",
        "region": "us-east-1",
    }
    return {
        **AWS_TOKEN,
        "GET /latest/meta-data/services/domain": Reply(domain, **AWS_WITH_TOKEN),
        "GET /latest/dynamic/instance-identity/document": Reply(json.dumps(document), **AWS_WITH_TOKEN),
        "GET /latest/meta-data/instance-life-cycle": Reply(life_cycle, **AWS_WITH_TOKEN),
    }


GOOGLE = {"needs": {"Metadata-Flavor": "Google", "Host": "metadata.google.internal"}, "refusal": 403, "kind": "application/text"}


def gcp(preemptible="TRUE", provisioning=None, flavour="Google", machine_type=True):
    headers = {"Metadata-Flavor": flavour} if flavour else {}
    leaves = {"zone": "projects/123/zones/us-central1-a", "id": "1234567890", "scheduling/preemptible": preemptible}
    if machine_type:
        leaves["machine-type"] = "projects/123/machineTypes/a2-highgpu-1g"
    if provisioning:
        leaves["scheduling/provisioning-model"] = provisioning
    return {f"GET /computeMetadata/v1/instance/{leaf}": Reply(v, headers=headers, **GOOGLE) for leaf, v in leaves.items()}


def azure_compute(**changes):
    return {
        "azEnvironment": "AzurePublicCloud",
        "location": "westeurope",
        "zone": "1",
        "vmSize": "Standard_NC24ads_A100_v4",
        "vmId": "02AAB8A4-74EF-476E-8182-F6D2BA4166A6",
        "priority": "Spot",
        "name": SECRET,
        "subscriptionId": SECRET,
        "publicKeys": [{"keyData": "ssh-rsa " + SECRET * 40}],
        "tags": "owner:" + SECRET,
        **changes,
    }


AZURE_NEW = "GET /metadata/instance/compute?api-version=2021-02-01&format=json"
AZURE_OLD = "GET /metadata/instance/compute?api-version=2019-06-01&format=json"


def azure(**changes):
    return {AZURE_NEW: Reply(azure_compute(**changes), needs={"Metadata": "true"})}


def oracle(**changes):
    leaves = {
        "id": "ocid1.instance.oc1.iad.abcdefgh",
        "shape": "BM.GPU.H100.8",
        "canonicalRegionName": "us-chicago-1",
        "ociAdName": "us-chicago-1-ad-1",
        **changes,
    }
    bearer = {"needs": {"Authorization": "Bearer Oracle"}, "refusal": 404}
    return {f"GET /opc/v2/instance/{leaf}": Reply(value, **bearer) for leaf, value in leaves.items()}


IBM = "api.metadata.cloud.ibm.com"


def ibm(path="/identity/v1/token", version="2025-08-26", status=200, **changes):
    instance = {
        "id": "0717_1e09281b-f177-46fb-baf1-bc152b2e391a",
        "crn": f"crn:v1:bluemix:public:is:us-south-1:a/{SECRET}::instance:0717",
        "profile": {"name": "gx3-16x80x1l4"},
        "zone": {"name": "us-south-1"},
        "gpu": {"count": 1, "manufacturer": "nvidia", "memory": 24, "model": "L4"},
        **changes,
    }
    return {
        f"PUT {path}?version={version}": Reply(
            {"access_token": SECRET + ".jwt", "expires_in": 300}, needs={"Metadata-Flavor": "ibm", "Host": IBM}, status=status
        ),
        f"GET /metadata/v1/instance?version={version}": Reply(
            instance, needs={"Authorization": f"Bearer {SECRET}.jwt"}, refusal=401
        ),
    }


def alibaba(token=True, spot=False):
    leaves = {
        "instance-id": "i-bp1abcdefg",
        "region-id": "cn-hangzhou",
        "zone-id": "cn-hangzhou-i",
        "instance/instance-type": "ecs.gn7i-c8g1.2xlarge",
        "instance/": "instance-type\nspot/\nvirtualization-solution" if spot else "instance-type\nmax-netbw-egress",
    }
    wants = {"needs": {"X-aliyun-ecs-metadata-token": SECRET}, "refusal": 403} if token else {}
    replies = {f"GET /latest/meta-data/{leaf}": Reply(value, **wants) for leaf, value in leaves.items()}
    if token:
        replies["PUT /latest/api/token"] = Reply(SECRET, needs={"X-aliyun-ecs-metadata-token-ttl-seconds": "300"})
    return replies


def tencent(charge="POSTPAID_BY_HOUR"):
    leaves = {
        "instance-id": "ins-abcdefgh",
        "instance/instance-type": "GN7.2XLARGE32",
        "placement/region": "ap-guangzhou",
        "placement/zone": "ap-guangzhou-3",
        "payment/charge-type": charge,
    }
    return {f"GET /latest/meta-data/{leaf}": Reply(value) for leaf, value in leaves.items()}


UUID = "83679162-1378-4288-a2d4-70e13ec132aa"
OPENSTACK = "GET /openstack/latest/meta_data.json"


def huawei(mode="0", token=False):
    meta = {"metering.resourcespeccode": "p2s.2xlarge.8.linux", "vpc_id": SECRET, "os_type": "Linux"}
    if mode is not None:
        meta["charging_mode"] = mode
    document = {
        "uuid": UUID,
        "availability_zone": "cn-north-4a",
        "hostname": SECRET,
        "meta": meta,
        "project_id": SECRET,
        "random_seed": SECRET * 100,
    }
    wants = {"needs": {"X-Metadata-Token": SECRET}, "refusal": 401} if token else {}
    replies = {OPENSTACK: Reply(document, **wants), "GET /latest/meta-data/instance-type": Reply("p2s.2xlarge.8", **wants)}
    if token:
        replies["PUT /meta-data/latest/api/token"] = Reply(SECRET, needs={"X-Metadata-Token-Ttl-Seconds": "300"})
    return replies


def baidu(**changes):
    leaves = {"instance-shortid": "i-Ab12Cd34", "azone": "zoneD", "region": "bj", "instance-type": "bcc.gn5.c8m64", **changes}
    return {f"GET /1.0/meta-data/{leaf}": Reply(value) for leaf, value in leaves.items()}


def digitalocean():
    return {
        "GET /metadata/v1/id": Reply("1234567"),
        "GET /metadata/v1/region": Reply("tor1"),
        "GET /metadata/v1.json": Reply({"auth_key": SECRET, "user_data": SECRET}),
    }


def hetzner():
    base = "GET /hetzner/v1/metadata/"
    return {
        base + "instance-id": Reply("42424242"),
        base + "region": Reply("eu-central"),
        base + "availability-zone": Reply("fsn1-dc14"),
    }


def scaleway():
    conf = {
        "id": UUID,
        "name": SECRET,
        "organization": SECRET,
        "commercial_type": "H100-1-80G",
        "zone": "fr-par-2",
        "location": {"zone_id": "fr-par-2"},
        "ssh_public_keys": [{"key": SECRET}],
    }
    return {"GET /conf?format=json": Reply(conf)}


def nebius(**changes):
    instance = {
        "id": "computeinstance-e00abc",
        "parent_id": "project-" + SECRET,
        "name": SECRET,
        "platform": "gpu-h200-sxm",
        "preset": "1gpu-16vcpu-200gb",
        "labels": {},
        "region": "eu-west1",
        **changes,
    }
    return {"GET /v1/instance-data": Reply(instance, needs={"Metadata": "true"})}


def openstack(ovh=False, meta=None, zone="nova"):
    document = {
        "uuid": UUID,
        "availability_zone": zone,
        "name": SECRET,
        "hostname": SECRET,
        "project_id": SECRET,
        "meta": meta or {},
    }
    dns = "213.186.33.99" if ovh else "8.8.8.8"
    return {
        OPENSTACK: Reply(document),
        "GET /openstack/latest/network_data.json": Reply({"services": [{"type": "dns", "address": dns}]}),
        "GET /latest/meta-data/instance-type": Reply("h100-380"),
        "GET /latest/meta-data/instance-id": Reply("i-00012345"),
    }


def softlayer():
    base = "GET /rest/v3.1/SoftLayer_Resource_Metadata/"
    return {
        base + "getDatacenter.txt": Reply("dal13"),
        base + "getId.txt": Reply("7654321"),
        base + "getFullyQualifiedDomainName.txt": Reply(SECRET),
    }


def paperspace(address="127.0.0.1"):
    machine = {
        "id": "ps4abc",
        "hostname": SECRET,
        "publicIpAddress": "203.0.113.9",
        "privateIpAddress": address,
        "machineType": "A100-80G",
        "region": "ny2",
    }
    return {"GET /meta-data/machine": Reply(machine)}


# ---- notices: by platform the question, and the answer once the machine is to be taken away --------------


ENDS = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(minutes=30)
TIME = ENDS.strftime("%Y-%m-%dT%H:%M:%SZ")


def azure_event(**changes):
    return {
        "EventId": "602d9444-d2cd-49c7-8624-8643e7171297",
        "EventType": "Preempt",
        "ResourceType": "VirtualMachine",
        "Resources": [SECRET],
        "EventStatus": "Scheduled",
        "NotBefore": ENDS.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        **changes,
    }


def azure_events(*events):
    return Reply({"DocumentIncarnation": 1, "Events": list(events)}, needs={"Metadata": "true"})


AZURE_NAME = "GET /metadata/instance/compute/name?api-version=2021-02-01&format=text"
NOTICES = {
    "aws": (
        "GET /latest/meta-data/spot/instance-action",
        Reply({"action": "terminate", "time": TIME}, **AWS_WITH_TOKEN),
    ),
    "gcp": (
        "GET /computeMetadata/v1/instance/preempted",
        Reply("TRUE", headers={"Metadata-Flavor": "Google"}, **GOOGLE),
    ),
    "azure": ("GET /metadata/scheduledevents?api-version=2020-07-01", azure_events(azure_event())),
    "alibaba": (
        "GET /latest/meta-data/instance/spot/termination-time",
        Reply(TIME, needs={"X-aliyun-ecs-metadata-token": SECRET}, refusal=403),
    ),
    "tencent": ("GET /latest/meta-data/spot/termination-time", Reply((ENDS + datetime.timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S"))),  # China's
    "huawei": (
        "GET /latest/meta-data/spot/termination-time",
        Reply(TIME, needs={"X-Metadata-Token": SECRET}, refusal=401),
    ),
}
# What is said before there is a notice, where that is not 404.
NO_NOTICES = {
    "gcp": Reply("FALSE", headers={"Metadata-Flavor": "Google"}, **GOOGLE),
    "azure": azure_events(),
    "huawei": Reply("not found", needs={"X-Metadata-Token": SECRET}, refusal=401, status=404),
}
