"""What an account may choose from in EC2: regions, key pairs, VPCs, subnets, and where an instance type is; mixed into instances.Cloud.

`subnets` has each subnet's zone, `networks` its VPC, `cidrs` its range; `vpcs`: VPCs and their ranges; `names`: what the tag Name of
either says. `pairs`: key pairs, None: whatever a launch names; `offers`: the zones that have a type, all where it isn't there. `forbidden`: actions that
the credentials may not do.
"""
from .sigcheck import Refused


class NetworkAnswers:
    def _choices(self):
        self.regions, self.pairs, self.vpcs = ["eu-west-1", "us-east-1"], None, {}
        self.routes, self.endpoints, self.public = [], [], set()
        self.networks, self.cidrs, self.names, self.offers, self.forbidden = {}, {}, {}, {}, set()

    def _may(self, action):
        if action in self.forbidden:
            raise Refused(403, "UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/somebody "
                          f"is not authorized to perform: ec2:{action} on resource: arn:aws:ec2:eu-west-1:123456789012:*")

    def _named(self, name):
        return [{"key": "Name", "value": self.names[name]}] if name in self.names else []

    def _DescribeRegions(self, ask, region):
        self._may("DescribeRegions")
        return {"regionInfo": [{"regionName": r, "regionEndpoint": f"ec2.{r}.amazonaws.com", "optInStatus": "opt-in-not-required"}
                               for r in self.regions]}

    def _DescribeKeyPairs(self, ask, region):
        self._may("DescribeKeyPairs")
        return {"keySet": [{"keyName": k, "keyPairId": f"key-{n:017x}", "keyType": "ed25519"} for n, k in enumerate(self.pairs or [])]}

    def _DescribeVpcs(self, ask, region):
        self._may("DescribeVpcs")
        return self._page(ask, list(self.vpcs), lambda v: {"vpcId": v, "cidrBlock": self.vpcs[v], "state": "available", "isDefault": False,
                                                           "tagSet": self._named(v)}, "vpcSet", None)

    def _DescribeSubnets(self, ask, region):
        self._may("DescribeSubnets")
        return self._page(ask, list(self.subnets), lambda s: {
            "subnetId": s, "vpcId": self.networks.get(s, "vpc-1"), "availabilityZone": self.subnets[s], "state": "available",
            "cidrBlock": self.cidrs.get(s, "10.0.0.0/24"), "availableIpAddressCount": self.addresses.get(s, 250), "tagSet": self._named(s),
            "mapPublicIpOnLaunch": s in self.public}, "subnetSet", None)

    def _DescribeRouteTables(self, ask, region):
        """`routes`: (table, VPC, subnets it is of, or () for the VPC's main one, {destination: gateway})."""
        self._may("DescribeRouteTables")
        return self._page(ask, self.routes, lambda r: {
            "routeTableId": r[0], "vpcId": r[1],
            "associationSet": [{"subnetId": s, "main": False} for s in r[2]] or [{"main": True}],
            "routeSet": [{("destinationPrefixListId" if d.startswith("pl-") else "destinationCidrBlock"): d,
                          ("natGatewayId" if g.startswith("nat-") else "gatewayId"): g, "state": "active"} for d, g in r[3].items()]},
            "routeTableSet", None)

    def _DescribeVpcEndpoints(self, ask, region):
        """`endpoints`: (VPC, service, route tables; none of an interface's)."""
        self._may("DescribeVpcEndpoints")
        return self._page(ask, self.endpoints, lambda p: {
            "vpcEndpointId": "vpce-1", "vpcId": p[0], "serviceName": f"com.amazonaws.{region}.{p[1]}", "state": "available",
            "vpcEndpointType": "Gateway" if p[2] else "Interface", "routeTableIdSet": list(p[2])}, "vpcEndpointSet", None)

    def _DescribeInstanceTypeOfferings(self, ask, region):
        self._may("DescribeInstanceTypeOfferings")
        if ask.pop("LocationType", "region") != "availability-zone":
            raise Refused(400, "InvalidParameterValue", "this account is asked by zones")
        (name, kind), = self._filters(ask)
        if name != "instance-type":
            raise Refused(400, "InvalidParameterValue", f"The filter '{name}' is invalid")
        zones = self.offers.get(kind, sorted(set(self.subnets.values())))
        return self._page(ask, zones, lambda z: {"instanceType": kind, "locationType": "availability-zone", "location": z},
                          "instanceTypeOfferingSet", None)
