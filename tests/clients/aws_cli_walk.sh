#!/usr/bin/env bash
# The walk of every operation by the AWS CLI, against a development cluster.
#
# Usage: aws_cli_walk.sh ENDPOINT_URL        (`aws` must be on the PATH)
#
# Prints what it checked, and ends with a line `N passed, M failed`; the exit code is 1 when something failed.
set -uo pipefail

export AWS_ENDPOINT_URL=$1 AWS_ACCESS_KEY_ID=meridian AWS_SECRET_ACCESS_KEY=meridian-dev
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 AWS_PAGER="" AWS_DEFAULT_OUTPUT=json
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_SESSION_TOKEN AWS_PROFILE
US=us-east-1 EU=eu-west-1 AP=ap-southeast-1
ACCOUNT=111122223333
NO_KEY=00000000-0000-4000-8000-000000000000
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ok() { passed=$((passed + 1)); echo "ok      $1"; }
bad() { failed=$((failed + 1)); echo "FAILED  $1"; shift; printf '        %s\n' "$@"; }

# is WHAT FOUND EXPECTED
is() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1" "found    $2" "expected $3"; fi; }

# does WHAT COMMAND...   the command must succeed
does() {
  local what=$1 output; shift
  if output=$("$@" 2>&1); then ok "$what"; else bad "$what" "$output"; fi
}

# refuses WHAT CODE TEXT COMMAND...   the command must fail with this code, and the text in its message
refuses() {
  local what=$1 code=$2 text=$3 output; shift 3
  if output=$("$@" 2>&1); then
    bad "$what" "this had to be refused with $code: $output"
  elif [[ $output == *"($code)"* && $output == *"$text"* ]]; then
    ok "$what"
  else
    bad "$what" "expected ($code) $text" "found    $output"
  fi
}

# eventually WHAT EXPECTED COMMAND...   the command's answer becomes this within 30 seconds
eventually() {
  local what=$1 expected=$2 output="" end=$((SECONDS + 30)); shift 2
  while [ $SECONDS -lt $end ]; do
    output=$("$@" 2>/dev/null) && [ "$output" = "$expected" ] && { ok "$what"; return; }
    sleep 0.1
  done
  bad "$what" "found    $output" "expected $expected"
}

text() { aws kms "$@" --output text; }
create() { text create-key --query KeyMetadata.KeyId "$@"; }
describe() { local field=$1; shift; text describe-key --query "KeyMetadata.$field" "$@"; }
blob() { printf '%s' "$1" >"$work/plain"; echo "fileb://$work/plain"; }
# encrypt FILE ARGUMENTS...    writes the ciphertext
encrypt() { local file=$1; shift; text encrypt --query CiphertextBlob "$@" | base64 -d >"$file"; }
decrypt() { local file=$1; shift; text decrypt --query Plaintext --ciphertext-blob "fileb://$file" "$@" | base64 -d; }

aws --version
echo "endpoint $AWS_ENDPOINT_URL"

# Keys
key=$(create --description orders --tags TagKey=a,TagValue=b)
arn=arn:aws:kms:$US:$ACCOUNT:key/$key
is "create-key, describe-key" "$(describe '[Arn,KeyState,Description,Origin]' --key-id "$key")" \
  "$arn	Enabled	orders	AWS_KMS"
is "describe-key by ARN" "$(describe KeyId --key-id "$arn")" "$key"
is "list-keys, all pages" "$(text list-keys --page-size 2 --query "Keys[?KeyId=='$key'].KeyArn")" "$arn"
refuses "describe-key of no key" NotFoundException "Key 'arn:aws:kms:$US:$ACCOUNT:key/$NO_KEY' does not exist" \
  aws kms describe-key --key-id $NO_KEY
refuses "describe-key of nonsense" NotFoundException "Invalid keyId 'nonsense'" aws kms describe-key --key-id nonsense
refuses "describe-key of another Region's ARN" NotFoundException "Invalid arn $US" \
  aws kms describe-key --key-id "$arn" --region $EU
refuses "create-key with a wrong policy" MalformedPolicyDocumentException "" aws kms create-key --policy '{'
does "update-key-description" aws kms update-key-description --key-id "$key" --description second
is "the description is replaced" "$(describe Description --key-id "$key")" second
does "disable-key" aws kms disable-key --key-id "$key"
refuses "encrypt with a disabled key" DisabledException "$arn is disabled." \
  aws kms encrypt --key-id "$key" --plaintext "$(blob x)"
does "enable-key" aws kms enable-key --key-id "$key"

# Cryptography
encrypt "$work/one" --key-id "$key" --plaintext "$(blob 'secret words')" --encryption-context tenant=7
is "encrypt, decrypt" "$(decrypt "$work/one" --encryption-context tenant=7)" "secret words"
refuses "decrypt without the context" InvalidCiphertextException "" aws kms decrypt --ciphertext-blob "fileb://$work/one"
refuses "decrypt of nonsense" InvalidCiphertextException "" aws kms decrypt --ciphertext-blob "$(blob nonsense)"
other=$(create)
refuses "decrypt with another key" IncorrectKeyException "does not identify a CMK" \
  aws kms decrypt --ciphertext-blob "fileb://$work/one" --encryption-context tenant=7 --key-id "$other"
text re-encrypt --ciphertext-blob "fileb://$work/one" --source-encryption-context tenant=7 \
  --destination-key-id "$other" --query CiphertextBlob | base64 -d >"$work/two"
is "re-encrypt" "$(decrypt "$work/two" --key-id "$other")" "secret words"
text generate-data-key --key-id "$key" --key-spec AES_256 --query '[CiphertextBlob,Plaintext]' >"$work/data-key"
cut -f1 "$work/data-key" | base64 -d >"$work/three"
is "generate-data-key" "$(decrypt "$work/three" | base64)" "$(cut -f2 "$work/data-key")"
text generate-data-key-without-plaintext --key-id "$key" --number-of-bytes 64 --query CiphertextBlob |
  base64 -d >"$work/four"
is "generate-data-key-without-plaintext" "$(decrypt "$work/four" | wc -c | tr -d ' ')" 64
refuses "generate-data-key of no length" ValidationException "Please specify either number of bytes or key spec." \
  aws kms generate-data-key --key-id "$key"
is "generate-random" "$(text generate-random --number-of-bytes 33 --query Plaintext | base64 -d | wc -c | tr -d ' ')" 33
refuses "generate-random of too much" ValidationException "Value '1025' at 'numberOfBytes'" \
  aws kms generate-random --number-of-bytes 1025
refuses "a dry run" DryRunOperationException "The request would have succeeded" \
  aws kms encrypt --key-id "$key" --plaintext "$(blob x)" --dry-run

# Aliases, tags, policies
alias=alias/cli-$key
does "create-alias" aws kms create-alias --alias-name "$alias" --target-key-id "$key"
refuses "create-alias again" AlreadyExistsException "An alias with the name arn:aws:kms:$US:$ACCOUNT:$alias already exists" \
  aws kms create-alias --alias-name "$alias" --target-key-id "$key"
does "update-alias" aws kms update-alias --alias-name "$alias" --target-key-id "$other"
is "list-aliases" "$(text list-aliases --key-id "$other" --query 'Aliases[].AliasName')" "$alias"
is "an alias names its key" "$(describe KeyId --key-id "$alias")" "$other"
does "delete-alias" aws kms delete-alias --alias-name "$alias"
refuses "describe-key of a removed alias" NotFoundException "is not found." aws kms describe-key --key-id "$alias"
refuses "create-alias of a reserved name" NotAuthorizedException "" \
  aws kms create-alias --alias-name alias/aws/mine --target-key-id "$key"
does "tag-resource" aws kms tag-resource --key-id "$key" --tags TagKey=c,TagValue=d TagKey=e,TagValue=f
does "untag-resource" aws kms untag-resource --key-id "$key" --tag-keys a e
is "list-resource-tags" "$(text list-resource-tags --key-id "$key" --query 'Tags[].[TagKey,TagValue]')" "c	d"
refuses "tag-resource with a reserved key" TagException "" aws kms tag-resource --key-id "$key" --tags TagKey=aws:x,TagValue=y
is "list-key-policies" "$(text list-key-policies --key-id "$key" --query PolicyNames)" default
text get-key-policy --key-id "$key" --policy-name default --query Policy | sed 's/Enable IAM User Permissions/changed/' \
  >"$work/policy"
does "put-key-policy" aws kms put-key-policy --key-id "$key" --policy-name default --policy "file://$work/policy"
is "get-key-policy" "$(text get-key-policy --key-id "$key" --query Policy | grep -c '"changed"')" 1
refuses "get-key-policy of another name" NotFoundException "No such policy exists" \
  aws kms get-key-policy --key-id "$key" --policy-name other

# Rotation
does "enable-key-rotation" aws kms enable-key-rotation --key-id "$key" --rotation-period-in-days 90
is "get-key-rotation-status" \
  "$(text get-key-rotation-status --key-id "$key" --query '[KeyRotationEnabled,RotationPeriodInDays]')" "True	90"
does "disable-key-rotation" aws kms disable-key-rotation --key-id "$key"
is "rotation is off" "$(text get-key-rotation-status --key-id "$key" --query KeyRotationEnabled)" False
is "rotate-key-on-demand" "$(text rotate-key-on-demand --key-id "$key" --query KeyId)" "$arn"
eventually "list-key-rotations" ON_DEMAND text list-key-rotations --key-id "$key" --query 'Rotations[].RotationType'
is "older ciphertext is readable" "$(decrypt "$work/one" --encryption-context tenant=7)" "secret words"
refuses "rotate-key-on-demand of no key" NotFoundException "does not exist" aws kms rotate-key-on-demand --key-id $NO_KEY

# Multi-Region keys
shared=$(create --multi-region)
is "create-key --multi-region" "$(describe MultiRegionConfiguration.MultiRegionKeyType --key-id "$shared")" PRIMARY
encrypt "$work/five" --key-id "$shared" --plaintext "$(blob everywhere)"
is "replicate-key" \
  "$(text replicate-key --key-id "$shared" --replica-region $EU --query ReplicaKeyMetadata.KeyState)" Creating
eventually "the replica is enabled" Enabled describe KeyState --key-id "$shared" --region $EU
is "decrypt in another Region" "$(decrypt "$work/five" --region $EU)" everywhere
refuses "replicate-key again" AlreadyExistsException "" aws kms replicate-key --key-id "$shared" --replica-region $EU
refuses "replicate-key of a replica" UnsupportedOperationException "is not a multi-region primary key." \
  aws kms replicate-key --key-id "$shared" --replica-region $AP --region $EU
does "update-primary-region" aws kms update-primary-region --key-id "$shared" --primary-region $EU
eventually "the primary has moved" $EU describe MultiRegionConfiguration.PrimaryKey.Region --key-id "$shared"
does "rotate-key-on-demand in the new primary" aws kms rotate-key-on-demand --key-id "$shared" --region $EU
refuses "rotate-key-on-demand in a replica" UnsupportedOperationException "" aws kms rotate-key-on-demand --key-id "$shared"

# Deletion
refuses "schedule-key-deletion too soon" ValidationException "PendingWindowInDays must be between 7 and 30" \
  aws kms schedule-key-deletion --key-id "$key" --pending-window-in-days 6
is "schedule-key-deletion" \
  "$(text schedule-key-deletion --key-id "$key" --pending-window-in-days 7 --query KeyState)" PendingDeletion
refuses "encrypt with a key pending deletion" KMSInvalidStateException "$arn is pending deletion." \
  aws kms encrypt --key-id "$key" --plaintext "$(blob x)"
is "cancel-key-deletion" "$(text cancel-key-deletion --key-id "$key" --query KeyId)" "$arn"
is "a cancelled deletion leaves a disabled key" "$(describe KeyState --key-id "$key")" Disabled
is "schedule-key-deletion of a primary with a replica" \
  "$(text schedule-key-deletion --key-id "$shared" --region $EU --query KeyState)" PendingReplicaDeletion
does "cancel-key-deletion of a primary" aws kms cancel-key-deletion --key-id "$shared" --region $EU

# Access
AWS_SECRET_ACCESS_KEY=wrong-secret refuses "a wrong secret key" InvalidSignatureException "does not match" aws kms list-keys
AWS_ACCESS_KEY_ID=nobody refuses "an unknown access key" UnrecognizedClientException "is invalid." aws kms list-keys

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
