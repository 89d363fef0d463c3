# The same provisioning without a cloud.
#
#     packer build -only=null.tree -var root=/srv/tree packer/            into a directory that holds a Debian
#     packer build -only=qemu.node -var disk=debian-12.qcow2 packer/      in a guest
#
# null.tree runs on this machine, as root, and changes nothing outside `root`.

variable "root" {
  type    = string
  default = "/var/empty"
}

# What must not be in an image is removed; "" leaves it.
variable "clean" {
  type    = string
  default = "--clean"
}

variable "imagebuild" {
  type    = string
  default = "hpc-imagebuild"
}

# A disk image of Debian 12 that takes `admin` with the password below, as Debian's generic images do with a seed.
variable "disk" {
  type    = string
  default = "debian-12.qcow2"
}

variable "password" {
  type    = string
  default = "admin"
}

variable "accelerator" {
  type    = string
  default = "kvm"
}

source "null" "tree" {
  communicator = "none"
}

source "qemu" "node" {
  iso_url          = var.disk
  iso_checksum     = "none"
  disk_image       = true
  headless         = true
  accelerator      = var.accelerator
  output_directory = "packer-${var.recipe}"
  vm_name          = "${var.recipe}.qcow2"
  format           = "qcow2"
  ssh_username     = "admin"
  ssh_password     = var.password
  shutdown_command = "sudo poweroff"
}

build {
  sources = ["source.null.tree"]

  provisioner "shell-local" {
    inline = ["'${var.imagebuild}' provision '${var.recipes}/${var.recipe}.yaml' --root '${var.root}' ${var.clean}"]
  }
}

build {
  sources = ["source.qemu.node"]

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
      "sudo hpc-imagebuild provision ${var.clean} /tmp/recipes/${var.recipe}.yaml",
    ]
  }
}
