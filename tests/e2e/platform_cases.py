"""Recorded and made machines: what firmware, environment and files say, what the metadata services say, and what gpuassay
has to make of it. One positive case at least and one look-alike for every platform of docs/PLATFORMS.md."""

import dataclasses

import fake_metadata as fake
from fake_metadata import IMDS

QEMU = {"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"}
EC2 = {"sys_vendor": "Amazon EC2", "bios_vendor": "Amazon EC2"}
NITRO = {**EC2, "product_name": "p5.48xlarge", "board_asset_tag": "i-0123456789abcdef0"}
GCE = {"sys_vendor": "Google", "product_name": "Google Compute Engine"}
AZURE = {"sys_vendor": "Microsoft Corporation", "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77"}
HYPER_V = {"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}
ORACLE = {"sys_vendor": "QEMU", "chassis_asset_tag": "OracleCloud.com"}
ALIBABA = {"sys_vendor": "Alibaba Cloud", "product_name": "Alibaba Cloud ECS"}
TENCENT = {"sys_vendor": "Tencent Cloud", "product_name": "CVM"}
HUAWEI = {"product_name": "OpenStack Nova", "chassis_asset_tag": "HUAWEICLOUD"}
NOVA = {"sys_vendor": "OpenStack Foundation", "product_name": "OpenStack Nova"}
XEN = {"sys_vendor": "Xen", "product_name": "HVM domU"}


@dataclasses.dataclass
class Case:
    name: str
    firmware: dict = dataclasses.field(default_factory=dict)
    variables: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)  # path below the root: text
    services: dict = dataclasses.field(default_factory=dict)  # host: replies
    says: dict = dataclasses.field(default_factory=dict)  # fields of `platform`; one that is not named must be null
    sources: dict = dataclasses.field(default_factory=dict)
    hashed: bool = False  # there is an instance id
    asked_nothing: bool = False


def says(provider, instance_type=None, region=None, zone=None, pricing_model=None, underlying=None, host_layer=None):
    return {
        "provider": provider,
        "instance_type": instance_type,
        "region": region,
        "zone": zone,
        "pricing_model": pricing_model,
        "underlying": underlying,
        "host_layer": host_layer or [],
    }


UNKNOWN = says("unknown")
AWS_FULL = says("aws", "p5.48xlarge", "us-east-1", "us-east-1b", "spot")
GCP_FULL = says("gcp", "a2-highgpu-1g", "us-central1", "us-central1-a", "spot")
AZURE_FULL = says("azure", "Standard_NC24ads_A100_v4", "westeurope", "1", "spot")
ORACLE_FULL = says("oracle", "BM.GPU.H100.8", "us-chicago-1", "us-chicago-1-ad-1")
EVERYONE = {IMDS: {**fake.aws(), **fake.gcp(), **fake.azure(), **fake.openstack()}}

CASES = [
    # ---- AWS
    Case("aws", NITRO, services={IMDS: fake.aws()}, says=AWS_FULL, hashed=True,
         sources={"provider": "dmi", "instance_type": "dmi", "region": "metadata", "pricing_model": "metadata"}),
    Case("aws on Xen", {"sys_vendor": "Xen", "bios_version": "4.11.amazon", "product_name": "HVM domU"},
         services={IMDS: fake.aws("on-demand")}, says={**AWS_FULL, "pricing_model": "on_demand"}, hashed=True,
         sources={"instance_type": "metadata"}),
    Case("aws capacity block", NITRO, services={IMDS: fake.aws("capacity-block")}, hashed=True,
         says={**AWS_FULL, "pricing_model": "reserved"}),
    Case("aws, service disabled", NITRO, services={IMDS: {"PUT /latest/api/token": fake.Reply("no", status=403)}},
         says=says("aws", "p5.48xlarge"), hashed=True, sources={"instance_type": "dmi", "instance_id_hash": "dmi"}),
    Case("aws in China, unnamed by firmware", services={IMDS: fake.aws(domain="amazonaws.com.cn")}, says=AWS_FULL,
         hashed=True, sources={"provider": "metadata"}),
    Case("aws, another provider's tree", EC2, services={IMDS: fake.aws(domain="example.org")}, says=says("aws")),
    Case("not aws: EC2's tree on a hypervisor of somebody", QEMU, services={IMDS: fake.aws(domain="novalocal")},
         says=UNKNOWN),
    # ---- Google
    Case("gcp", GCE, services={IMDS: fake.gcp()}, says=GCP_FULL, hashed=True, sources={"instance_type": "metadata"}),
    Case("gcp on demand", GCE, services={IMDS: fake.gcp("FALSE", "STANDARD")}, hashed=True,
         says={**GCP_FULL, "pricing_model": "on_demand"}),
    Case("gcp spot by its newer name", GCE, services={IMDS: fake.gcp("FALSE", "SPOT")}, says=GCP_FULL, hashed=True),
    Case("gcp flex start", GCE, services={IMDS: fake.gcp("FALSE", "FLEX_START")}, hashed=True,
         says={**GCP_FULL, "pricing_model": None}),
    Case("gcp emulator in GKE", GCE, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, hashed=True,
         services={IMDS: fake.gcp(machine_type=False)},
         says={**GCP_FULL, "instance_type": None, "host_layer": ["kubernetes"]}),
    Case("gcp, unnamed by firmware", services={IMDS: fake.gcp()}, says=GCP_FULL, hashed=True,
         sources={"provider": "metadata"}),
    Case("not gcp: the answer lacks Google's header", QEMU, services={IMDS: fake.gcp(flavour=None)}, says=UNKNOWN),
    # ---- Azure
    Case("azure", AZURE, services={IMDS: fake.azure()}, says=AZURE_FULL, hashed=True),
    Case("azure without zone, regular", AZURE, services={IMDS: fake.azure(zone="", priority="")}, hashed=True,
         says={**AZURE_FULL, "zone": None, "pricing_model": "on_demand"}),
    Case("azure, older service", AZURE, hashed=True, says=AZURE_FULL,
         services={IMDS: {fake.AZURE_NEW: fake.Reply({"error": "Bad request"}, status=400),
                          fake.AZURE_OLD: fake.Reply(fake.azure_compute(), needs={"Metadata": "true"})}}),
    Case("azure, early in boot", AZURE, hashed=True, says=AZURE_FULL,
         services={IMDS: {fake.AZURE_NEW: [fake.Reply("", status=404), fake.Reply("", status=429),
                                           fake.Reply(fake.azure_compute(), needs={"Metadata": "true"})]}}),
    Case("not azure: plain Hyper-V", HYPER_V, services={IMDS: {}}, says=UNKNOWN),
    # ---- Oracle
    Case("oracle", ORACLE, services={IMDS: fake.oracle()}, says=ORACLE_FULL, hashed=True),
    Case("oracle, unnamed by firmware", services={IMDS: fake.oracle()}, says=ORACLE_FULL, hashed=True),
    Case("oracle, another provider's tree", ORACLE, services={IMDS: fake.oracle(id="i-0123")}, says=says("oracle")),
    Case("not oracle: an id of somebody", QEMU, services={IMDS: fake.oracle(id="i-0123")}, says=UNKNOWN),
    # ---- IBM
    Case("ibm", services={IMDS: fake.ibm()}, hashed=True, says=says("ibm", "gx3-16x80x1l4", "us-south", "us-south-1")),
    Case("ibm, older token", services={IMDS: fake.ibm("/instance_identity/v1/token", "2022-03-01", 201)}, hashed=True,
         says=says("ibm", "gx3-16x80x1l4", "us-south", "us-south-1")),
    Case("not ibm: no resource name", services={IMDS: fake.ibm(crn="")}, says=UNKNOWN),
    Case("ibm classic", XEN, files={"dev/disk/by-label/METADATA": ""}, hashed=True,
         services={"api.service.softlayer.com": fake.softlayer()}, says=says("ibm", region="dal13"),
         sources={"provider": "file", "region": "metadata"}),
    Case("not ibm classic: a label METADATA of somebody", QEMU, files={"dev/disk/by-label/METADATA": ""},
         services={IMDS: {}}, says=UNKNOWN),
    # ---- Alibaba
    Case("alibaba", ALIBABA, services={"100.100.100.200": fake.alibaba()}, hashed=True,
         says=says("alibaba", "ecs.gn7i-c8g1.2xlarge", "cn-hangzhou", "cn-hangzhou-i")),
    Case("alibaba spot, no token", ALIBABA, services={"100.100.100.200": fake.alibaba(token=False, spot=True)}, hashed=True,
         says=says("alibaba", "ecs.gn7i-c8g1.2xlarge", "cn-hangzhou", "cn-hangzhou-i", "spot")),
    Case("not alibaba: its address without its firmware", QEMU, services={"100.100.100.200": fake.alibaba(), IMDS: {}},
         says=UNKNOWN),
    # ---- Tencent
    Case("tencent", TENCENT, services={"metadata.tencentyun.com": fake.tencent()}, hashed=True,
         says=says("tencent", "GN7.2XLARGE32", "ap-guangzhou", "ap-guangzhou-3", "on_demand")),
    Case("tencent spot", TENCENT, services={"metadata.tencentyun.com": fake.tencent("SPOTPAID")}, hashed=True,
         says=says("tencent", "GN7.2XLARGE32", "ap-guangzhou", "ap-guangzhou-3", "spot")),
    Case("tencent monthly", TENCENT, services={"metadata.tencentyun.com": fake.tencent("PREPAID")}, hashed=True,
         says=says("tencent", "GN7.2XLARGE32", "ap-guangzhou", "ap-guangzhou-3", "monthly")),
    Case("not tencent: its name without its firmware", QEMU,
         services={"metadata.tencentyun.com": fake.tencent(), IMDS: {}}, says=UNKNOWN),
    # ---- Huawei
    Case("huawei", HUAWEI, services={IMDS: fake.huawei()}, hashed=True,
         says=says("huawei", "p2s.2xlarge.8", "cn-north-4", "cn-north-4a", "on_demand")),
    Case("huawei monthly, token demanded", HUAWEI, services={IMDS: fake.huawei("1", token=True)}, hashed=True,
         says=says("huawei", "p2s.2xlarge.8", "cn-north-4", "cn-north-4a", "monthly")),
    Case("huawei spot", HUAWEI, services={IMDS: fake.huawei("2")}, hashed=True,
         says=says("huawei", "p2s.2xlarge.8", "cn-north-4", "cn-north-4a", "spot")),
    Case("huawei without charging mode", HUAWEI, services={IMDS: fake.huawei(None)}, hashed=True,
         says=says("huawei", "p2s.2xlarge.8", "cn-north-4", "cn-north-4a")),
    Case("not huawei: OpenStack alone", NOVA, services={IMDS: fake.openstack()}, hashed=True,
         says=says("openstack", "h100-380")),
    # ---- Baidu
    Case("baidu", services={IMDS: fake.baidu()}, hashed=True, says=says("baidu", "bcc.gn5.c8m64", "bj", "zoneD")),
    Case("baidu without a type", services={IMDS: fake.baidu(**{"instance-type": ""})}, hashed=True,
         says=says("baidu", None, "bj", "zoneD")),
    Case("not baidu: 200 with nothing", services={IMDS: fake.baidu(azone="")}, says=UNKNOWN),
    # ---- DigitalOcean, UpCloud, Hetzner, Vultr, Linode
    Case("digitalocean", {"sys_vendor": "DigitalOcean"}, services={IMDS: fake.digitalocean()}, hashed=True,
         says=says("digitalocean", region="tor1")),
    Case("not digitalocean: UpCloud has the same paths", {"sys_vendor": "UpCloud"}, services={IMDS: fake.digitalocean()},
         says=says("upcloud"), asked_nothing=True),
    Case("not digitalocean: nothing but its paths", QEMU, services={IMDS: fake.digitalocean()}, says=UNKNOWN),
    Case("hetzner", {"sys_vendor": "Hetzner", "product_name": "vServer"}, services={IMDS: fake.hetzner()}, hashed=True,
         says=says("hetzner", region="fsn1", zone="fsn1-dc14")),
    Case("not hetzner: nothing but its paths", QEMU, services={IMDS: fake.hetzner()}, says=UNKNOWN),
    Case("vultr", {"sys_vendor": "Vultr"}, services=EVERYONE, says=says("vultr"), asked_nothing=True),
    Case("linode", {"sys_vendor": "Akamai"}, services=EVERYONE, says=says("linode"), asked_nothing=True),
    # ---- Scaleway
    Case("scaleway", {"sys_vendor": "Scaleway"}, services={"169.254.42.42": fake.scaleway()}, hashed=True,
         says=says("scaleway", "H100-1-80G", "fr-par", "fr-par-2")),
    Case("scaleway by its kernel command line", files={"proc/cmdline": "root=/dev/vda1 scaleway ro"}, hashed=True,
         services={"169.254.42.42": fake.scaleway()}, says=says("scaleway", "H100-1-80G", "fr-par", "fr-par-2")),
    Case("not scaleway: a document without a type", QEMU, says=UNKNOWN,
         services={"169.254.42.42": {"GET /conf?format=json": fake.Reply({"zone": "fr-par-2"})}}),
    # ---- Nebius
    Case("nebius", services={IMDS: fake.nebius()}, hashed=True,
         says=says("nebius", "gpu-h200-sxm/1gpu-16vcpu-200gb", "eu-west1")),
    Case("nebius by its name alone", services={IMDS: {}, "metadata.nebius.internal": fake.nebius()}, hashed=True,
         says=says("nebius", "gpu-h200-sxm/1gpu-16vcpu-200gb", "eu-west1")),
    Case("nebius, busy at first", files={"mnt/cloud-metadata/parent-id": "p"}, hashed=True,
         services={"metadata.nebius.internal": {"GET /v1/instance-data": [fake.Reply("", status=503),
                                                                          fake.nebius()["GET /v1/instance-data"]]}},
         says=says("nebius", "gpu-h200-sxm/1gpu-16vcpu-200gb", "eu-west1")),
    Case("not nebius: an id of somebody", QEMU, services={IMDS: fake.nebius(id="vm-17")}, says=UNKNOWN),
    # ---- OpenStack and what is built on it
    Case("ovh", NOVA, services={IMDS: fake.openstack(ovh=True)}, hashed=True, says=says("ovh", "h100-380"),
         sources={"provider": "metadata"}),
    Case("ovh bare metal, unnamed by firmware", services={IMDS: fake.openstack(ovh=True, zone="gra")}, hashed=True,
         says=says("ovh", "h100-380", zone="gra")),
    Case("not ovh: OpenStack of somebody", NOVA, services={IMDS: fake.openstack()}, hashed=True,
         says=says("openstack", "h100-380")),
    Case("nscale", NOVA, hashed=True, says=says("nscale", "h100-380", "no-svg-1"),
         services={IMDS: fake.openstack(meta={"organizationID": fake.SECRET, "projectID": "x", "regionID": "no-svg-1"})}),
    # ---- marketplaces: whatever the machine below says, nobody is asked
    Case("vastai", GCE, {"VAST_CONTAINERLABEL": "C.1234567", "GPU_COUNT": "2"}, services=EVERYONE, hashed=True,
         says=says("vastai", underlying="gcp"), sources={"provider": "env"}, asked_nothing=True),
    Case("vastai by an open port", QEMU, {"VAST_TCP_PORT_22": "40022"}, services=EVERYONE, says=says("vastai"),
         asked_nothing=True),
    Case("vastai, variables of process 1",
         files={"proc/1/environ": f"PATH=/bin\0CONTAINER_ID=77\0CONTAINER_API_KEY={fake.SECRET}\0"},
         services=EVERYONE, hashed=True, says=says("vastai"), asked_nothing=True),
    Case("vastai, variables copied for logins", files={"etc/environment": 'export VAST_CONTAINERLABEL="C.77"\n'},
         services=EVERYONE, hashed=True, says=says("vastai"), asked_nothing=True),
    Case("not vastai: GPU_COUNT and CONTAINER_ID of somebody", QEMU, {"GPU_COUNT": "8", "CONTAINER_ID": "12"},
         services={IMDS: {}}, says=UNKNOWN),
    Case("not vastai: its command-line tool's file on EC2", NITRO, files={"root/.vast_api_key": "x"},
         services={IMDS: fake.aws()}, says=AWS_FULL, hashed=True),
    Case("runpod", QEMU, {"RUNPOD_POD_ID": "abc123xyz", "RUNPOD_DC_ID": "CA-MTL-1", "RUNPOD_API_KEY": fake.SECRET},
         services=EVERYONE, hashed=True, says=says("runpod", region="CA-MTL-1"), sources={"region": "env"},
         asked_nothing=True),
    Case("not runpod: a data centre alone", QEMU, {"RUNPOD_DC_ID": "CA-MTL-1"}, services={IMDS: {}}, says=UNKNOWN),
    Case("jarvislabs", QEMU, files={"home/jl_fs/x": "", "proc/sys/kernel/hostname": "jarvislabs-17\n"}, services=EVERYONE,
         says=says("jarvislabs"), asked_nothing=True),
    Case("not jarvislabs: the folder alone", QEMU, files={"home/jl_fs/x": ""}, services={IMDS: {}}, says=UNKNOWN),
    # ---- notebooks
    Case("colab", GCE, {"COLAB_RELEASE_TAG": "release-colab-1", "COLAB_GPU": "1"}, services=EVERYONE,
         says=says("colab", underlying="gcp"), asked_nothing=True),
    Case("not colab: Google's firmware alone", GCE, services={IMDS: fake.gcp()}, says=GCP_FULL, hashed=True),
    Case("kaggle", GCE, {"KAGGLE_KERNEL_RUN_TYPE": "Batch", "COLAB_GPU": ""}, services=EVERYONE,
         says=says("kaggle", pricing_model="free", underlying="gcp"), sources={"pricing_model": "derived"},
         asked_nothing=True),
    Case("not kaggle: the folder alone", QEMU, files={"kaggle/working/x": ""}, services={IMDS: {}}, says=UNKNOWN),
    Case("gradient", QEMU, {"PAPERSPACE_METRIC_WORKLOAD_ID": "nabc123", "PAPERSPACE_FQDN": fake.SECRET}, services=EVERYONE,
         hashed=True, says=says("gradient"), asked_nothing=True),
    Case("paperspace", QEMU, files={"home/paperspace/x": ""}, hashed=True,
         services={"metadata.paperspace.com": fake.paperspace()}, says=says("paperspace", "A100-80G", "ny2")),
    Case("not paperspace: the service knows another machine", QEMU, files={"home/paperspace/x": ""},
         services={"metadata.paperspace.com": fake.paperspace("203.0.113.8")}, says=UNKNOWN),
    Case("not paperspace: a machine without its user", QEMU, services={"metadata.paperspace.com": fake.paperspace()},
         says=UNKNOWN, asked_nothing=True),
    # ---- managed services
    Case("sagemaker training", NITRO, {"TRAINING_JOB_NAME": fake.SECRET, "AWS_REGION": "eu-west-1"}, services=EVERYONE,
         files={"opt/ml/input/config/resourceconfig.json":
                '{"current_host":"algo-1","current_instance_type":"ml.p4d.24xlarge"}'},
         says=says("sagemaker", "ml.p4d.24xlarge", "eu-west-1", underlying="aws"), asked_nothing=True,
         sources={"instance_type": "file", "region": "env"}),
    Case("sagemaker notebook", {**EC2, "product_name": "g5.xlarge"}, services=EVERYONE,
         files={"opt/ml/metadata/resource-metadata.json":
                '{"ResourceArn":"arn:aws:sagemaker:us-west-2:123456789012:notebook-instance/' + fake.SECRET + '"}'},
         says=says("sagemaker", "ml.g5.xlarge", "us-west-2", underlying="aws"), asked_nothing=True,
         sources={"instance_type": "derived", "region": "file"}),
    Case("not sagemaker: a folder and a region of somebody", NITRO, {"AWS_REGION": "eu-west-1"}, files={"opt/ml/x": ""},
         services={IMDS: fake.aws()}, says=AWS_FULL, hashed=True),
    Case("vertex", GCE,
         {"CLOUD_ML_JOB_ID": fake.SECRET, "CLOUD_ML_PROJECT_ID": fake.SECRET, "CLOUD_ML_REGION": "us-central1"},
         services={IMDS: fake.gcp("FALSE")}, hashed=True, sources={"region": "env", "instance_type": "metadata"},
         says={**GCP_FULL, "provider": "vertex", "underlying": "gcp", "pricing_model": "on_demand"}),
    Case("vertex, colab enterprise", GCE, {"VERTEX_PRODUCT": "COLAB_ENTERPRISE", "COLAB_GPU": "1"}, hashed=True,
         services={IMDS: fake.gcp()}, says={**GCP_FULL, "provider": "vertex", "underlying": "gcp"}),
    Case("not vertex: variables of somebody who calls models", QEMU,
         {"CLOUD_ML_PROJECT_ID": "x", "CLOUD_ML_REGION": "us-central1"}, services={IMDS: {}}, says=UNKNOWN),
    Case("azureml", AZURE, {"AZUREML_RUN_ID": fake.SECRET}, services={IMDS: fake.azure(priority="Low")}, hashed=True,
         says={**AZURE_FULL, "provider": "azureml", "underlying": "azure"}),
    Case("not azureml: an Azure machine", AZURE, services={IMDS: fake.azure()}, says=AZURE_FULL, hashed=True),
    # ---- clouds with no service, and layers
    Case("lambda", QEMU, files={"etc/lambda/guest-agent/x": ""}, services=EVERYONE, says=says("lambda"),
         asked_nothing=True),
    Case("not lambda: its guest agent on EC2", NITRO, files={"etc/lambda/guest-agent/x": ""},
         services={IMDS: fake.aws()}, says=AWS_FULL, hashed=True),
    Case("coreweave", {}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "COREWEAVE_NODE_NAME": fake.SECRET}, services=EVERYONE,
         says=says("coreweave", host_layer=["kubernetes"]), asked_nothing=True),
    Case("not coreweave: its variable outside Kubernetes", QEMU, {"COREWEAVE_NODE_NAME": "x"}, services={IMDS: {}},
         says=UNKNOWN),
    Case("kubernetes on aws", NITRO, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, services={IMDS: fake.aws()}, hashed=True,
         says={**AWS_FULL, "host_layer": ["kubernetes"]}),
    Case("slurm in a container", QEMU, {"SLURM_JOB_ID": fake.SECRET}, files={".dockerenv": ""}, services={IMDS: {}},
         says={**UNKNOWN, "host_layer": ["docker", "slurm"]}),
    Case("not slurm: its partition alone", QEMU, {"SLURM_JOB_PARTITION": "gpu"}, services={IMDS: {}}, says=UNKNOWN),
    *[
        Case(f"{provider}, as the user says", QEMU, {"GPUASSAY_PROVIDER": provider}, services=EVERYONE,
             says=says(provider), sources={"provider": "override_env"}, asked_nothing=True)
        for provider in ("crusoe", "fluidstack", "genesis", "tensordock")
    ],
    Case("not one of those that show nothing", QEMU, services={IMDS: {}}, says=UNKNOWN),
]
