# For Packer 1.7 and newer, where the builders are plugins that `packer init` fetches. Packer 1.6 has them built in and
# doesn't know this block: there leave this file out.
packer {
  required_version = ">= 1.7.0"

  required_plugins {
    amazon = {
      version = ">= 1.2.8"
      source  = "github.com/hashicorp/amazon"
    }
    qemu = {
      version = ">= 1.1.0"
      source  = "github.com/hashicorp/qemu"
    }
  }
}
