# Evaluates flake.nix against a minimal mock of nixpkgs and prints the package's attributes. Called by .ci/package.
let
  flake = import ../flake.nix;
  lib = {
    genAttrs = names: of: builtins.listToAttrs (map (name: { inherit name; value = of name; }) names);
    licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
  };
  pkgs = {
    rustPlatform.buildRustPackage = given: given;
    installShellFiles = "installShellFiles";
  };
  outputs = flake.outputs {
    self = "the sources";
    nixpkgs = {
      inherit lib;
      legacyPackages = lib.genAttrs [ "aarch64-darwin" "aarch64-linux" "x86_64-darwin" "x86_64-linux" ] (_: pkgs);
    };
  };
  package = name: outputs.packages.${name}.default // {
    cargoLock = builtins.pathExists outputs.packages.${name}.default.cargoLock.lockFile;
  };
in
{
  inherit (flake) description;
  packages = builtins.mapAttrs (name: _: package name) outputs.packages;
}
