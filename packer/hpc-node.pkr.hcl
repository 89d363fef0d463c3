# Bakes an AMI by starting an instance of a base image and running `hpc-imagebuild provision` in it.
#
#     packer init packer/ && packer build -only=amazon-ebs.node -var region=eu-west-1 -var recipe=compute packer/
#
# `hpc-imagebuild build --format ami` needs no instance and is quicker; this is for those whose pipeline is Packer, or
# whose base image is not one that can be built from packages. Of this directory Packer 1.6 reads all but
# plugins.pkr.hcl, which is for newer ones (see there).

variable "recipe" {
  type    = string
  default = "compute"
}

variable "version" {
  type    = string
  default = "1.0.0"
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "instance_type" {
  type    = string
  default = "c6i.large"
}

# The Debian packages of hpc-node (`./dev package`): hpc-imagebuild, which is run, and the agent, which stays.
# A head that launches instances takes hpc-fleet.deb, too.
variable "packages" {
  type    = list(string)
  default = ["hpc-agent.deb", "hpc-imagebuild.deb"]
}

# Where recipes are on this machine, a directory of that name; all of it is sent, as recipes include each other.
variable "recipes" {
  type    = string
  default = "recipes"
}

variable "subnet_id" {
  type    = string
  default = ""
}

source "amazon-ebs" "node" {
  region        = var.region
  instance_type = var.instance_type
  subnet_id     = var.subnet_id
  ami_name      = "hpc-${var.recipe}-${var.version}-${formatdate("YYYYMMDDhhmmss", timestamp())}"
  ssh_username  = "admin"

  source_ami_filter {
    owners      = ["136693071363"] # Debian's own account
    most_recent = true
    filters = {
      name                = "debian-12-amd64-*"
      architecture        = "x86_64"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  # An instance that Packer lost sight of ends itself.
  shutdown_behavior = "terminate"
  user_data         = "#!/bin/sh\nshutdown -P +120\n"

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_size           = 8
    volume_type           = "gp2"
    delete_on_termination = true
  }

  tags = {
    "hpc-imagebuild:recipe"  = var.recipe
    "hpc-imagebuild:version" = var.version
  }
}

build {
  sources = ["source.amazon-ebs.node"]

  provisioner "shell" {
    inline = ["mkdir -p /tmp/hpc-packages"]
  }

  provisioner "file" {
    sources     = var.packages
    destination = "/tmp/hpc-packages/"
  }

  provisioner "file" {
    source      = var.recipes
    destination = "/tmp"
  }

  provisioner "shell" {
    inline = [
      "sudo apt-get -q update",
      "sudo apt-get -q -y install --no-install-recommends /tmp/hpc-packages/*.deb",
    ]
  }

  # 194: a component asks for a restart. The second run goes on behind it; where nothing was left to do it only looks.
  provisioner "shell" {
    inline = [
      "s=0; sudo hpc-imagebuild provision /tmp/recipes/${var.recipe}.yaml || s=$?",
      "[ $s != 194 ] || sudo reboot",
      "exit $s",
    ]
    valid_exit_codes  = [0, 194]
    expect_disconnect = true
  }

  # What must not be in an image that many machines start from goes, and what is left of it fails the build by name.
  provisioner "shell" {
    pause_before = "10s"
    inline       = ["sudo hpc-imagebuild provision --clean /tmp/recipes/${var.recipe}.yaml"]
  }
}
