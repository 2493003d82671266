#include "app/config/auth_value.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "app/config/scalar_values.h"
#include "app/config/structured_values.h"

namespace tickpipe::internal {
namespace {

using Kind = ConfigNode::Kind;

constexpr std::size_t kSha256HexChars = 64;

/// A string member that must not be empty. Missing ones are reported if `needed`.
bool check_text(const ConfigNode& object, const ConfigSite& site, std::string_view name, bool needed) {
  const ConfigNode* const member = object.find(name);
  if (member == nullptr) {
    if (needed) site.error(object.line, std::string(name) + " is missing");
    return !needed;
  }
  const std::optional<std::string> text = read_string(*member, site.child(name));
  if (text && text->empty()) site.child(name).error(member->line, "must not be empty");
  return text && !text->empty();
}

bool is_sha256_hex(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return text.size() == kSha256HexChars && std::all_of(text.begin(), text.end(), is_hex);
}

bool check_roles(const ConfigNode& key, const ConfigSite& site) {
  const ConfigNode* const roles = key.find("roles");
  if (roles == nullptr || roles->kind != Kind::kList || roles->children.empty()) {
    site.error(key.line, R"(roles must be a list of "read", "ingest" and "admin")");
    return false;
  }
  bool good = true;
  for (const ConfigNode& role : roles->children) {
    good = read_choice(role, site.child("roles"), {"read", "ingest", "admin"}).has_value() && good;
  }
  return good;
}

bool check_key(const ConfigNode& key, const ConfigSite& site, std::set<std::string, std::less<>>& ids) {
  if (key.kind != Kind::kObject) {
    site.error(key.line, R"(a key is {"id": ..., "sha256": ..., "roles": [...]}, got )" + std::string(kind_of(key)));
    return false;
  }
  bool good = check_member_names(key, site, {"id", "sha256", "roles"});
  good = check_text(key, site, "id", true) && good;
  const ConfigNode* const id = key.find("id");
  if (id != nullptr && !ids.insert(id->text).second) {
    site.child("id").error(id->line, "the same id as an earlier key");
    good = false;
  }
  const ConfigNode* const hash = key.find("sha256");
  if (hash == nullptr || hash->kind != Kind::kString || !is_sha256_hex(hash->text)) {
    site.child("sha256").error(hash == nullptr ? key.line : hash->line,
                               "expected the SHA-256 of the key as 64 hexadecimal digits");
    good = false;
  }
  return check_roles(key, site) && good;
}

bool check_keys(const ConfigNode* keys, int line, const ConfigSite& site, bool needed) {
  if (keys == nullptr) {
    if (needed) site.error(line, "mode api_key needs at least one key");
    return !needed;
  }
  if (keys->kind != Kind::kList || (needed && keys->children.empty())) {
    site.error(keys->line, "expected a list of keys" + std::string(needed ? ", at least one" : ""));
    return false;
  }
  bool good = true;
  std::set<std::string, std::less<>> ids;
  for (const ConfigNode& key : keys->children) good = check_key(key, site, ids) && good;
  return good;
}

bool check_jwt(const ConfigNode* jwt, int line, const ConfigSite& site, bool needed) {
  if (jwt == nullptr) {
    if (needed) site.error(line, "mode jwt needs an object with alg and secret_file or public_key_file");
    return !needed;
  }
  if (jwt->kind != Kind::kObject) {
    site.error(jwt->line, "expected an object, got " + std::string(kind_of(*jwt)));
    return false;
  }
  bool good =
      check_member_names(*jwt, site, {"alg", "secret_file", "public_key_file", "issuer", "audience", "roles_claim"});
  for (const std::string_view name : {"issuer", "audience", "roles_claim"}) {
    good = check_text(*jwt, site, name, false) && good;
  }
  const ConfigNode* const alg = jwt->find("alg");
  if (alg == nullptr) {
    site.error(jwt->line, "alg is missing; write HS256 or RS256");
    return false;
  }
  const std::optional<std::size_t> choice = read_choice(*alg, site.child("alg"), {"HS256", "RS256"});
  if (!choice) return false;
  // A file for the other algorithm is refused: verifying with the wrong kind of key is how tokens get forged.
  const std::string_view needed_file = *choice == 0 ? "secret_file" : "public_key_file";
  const std::string_view other_file = *choice == 0 ? "public_key_file" : "secret_file";
  good = check_text(*jwt, site, needed_file, true) && good;
  if (const ConfigNode* const other = jwt->find(other_file); other != nullptr) {
    site.child(other_file).error(other->line, alg->text + " takes " + std::string(needed_file) + ", not this");
    good = false;
  }
  return good;
}

}  // namespace

std::optional<std::string> read_auth(const ConfigNode& node, const ConfigSite& site) {
  if (node.kind != Kind::kObject) {
    site.error(node.line, R"(expected an object such as {"mode": "none"}, got )" + std::string(kind_of(node)));
    return std::nullopt;
  }
  bool good = check_member_names(node, site, {"mode", "keys", "jwt"});
  const ConfigNode* const mode = node.find("mode");
  if (mode == nullptr) {
    site.error(node.line, "mode is missing; write none, api_key or jwt");
    return std::nullopt;
  }
  const std::optional<std::size_t> choice = read_choice(*mode, site.child("mode"), {"none", "api_key", "jwt"});
  good = check_keys(node.find("keys"), node.line, site.child("keys"), choice == 1U) && good;
  good = check_jwt(node.find("jwt"), node.line, site.child("jwt"), choice == 2U) && good;
  if (!good || !choice) return std::nullopt;
  return to_json(node);
}

}  // namespace tickpipe::internal
