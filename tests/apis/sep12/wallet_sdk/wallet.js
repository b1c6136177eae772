// A wallet on the public SDK plays its customer against a daemon, and tells what came as one JSON object.
// Arguments: host:port of the daemon, the secret of an account that Horizon knows, a picture in base64.

import { deepEqual } from "node:assert/strict";

import sdk from "@stellar/typescript-wallet-sdk";

const [homeDomain, secret, picture] = process.argv.slice(2);
const type = "sep31-sender";
const memo = "42";
const person = {
  first_name: "Ann",
  last_name: "Example",
  birth_date: "1990-12-31",
  email_address: "ann@example.com",
  address_country_code: "DEU",
};
const passport = { id_type: "passport", id_number: "X1", id_country_code: "DEU" };

const anchor = sdk.Wallet.TestNet().anchor({ homeDomain, allowHttp: true });

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

// What the SDK or the daemon says where a call is to be refused.
const refusal = async (call) => {
  try {
    await call;
  } catch (fault) {
    return fault.response ? [fault.response.status, fault.response.data.error] : [0, fault.constructor.name];
  }
  return null;
};

const signIn = async (accountKp, memoId) => {
  const authToken = await (await anchor.sep10()).authenticate({ accountKp, memoId });
  return [claims(authToken.token), await anchor.sep12(authToken)];
};

const outline = ({ id, status, fields = {}, provided_fields: provided = {} }) => ({
  id,
  status,
  fields: Object.keys(fields).filter((name) => !fields[name].optional).sort(),
  provided: Object.fromEntries(Object.entries(provided).map(([name, field]) => [name, [field.type, field.status]])),
});

const told = { toml: await anchor.sep1() };

const key = sdk.SigningKeypair.fromSecret(secret);
const [signedIn, customer] = await signIn(key);
told.login = signedIn;
told.unknown = await refusal(customer.getCustomer({ type }));

const { id } = await customer.add({ sep9Info: { first_name: "Anne", last_name: "Example" }, type });
told.id = id;
told.added = outline(await customer.getCustomer({ id, type }));

deepEqual(await customer.update({ id, type, sep9Info: person }), { id });
told.updated = outline(await customer.getCustomer({ id, type }));

const upload = { photo_id_front: Buffer.from(picture, "base64") };
deepEqual(await customer.update({ id, type, sep9Info: passport, sep9BinaryInfo: upload }), { id });
told.uploaded = outline(await customer.getCustomer({ type }));
told.wrong = await refusal(customer.update({ id, type, sep9BinaryInfo: { photo_id_front: Buffer.from("no picture") } }));

// One of many users behind an account: signed in by a memo, and registered by the account itself.
const shared = sdk.SigningKeypair.fromSecret(secret);
const [memoSignedIn, user] = await signIn(shared, memo);
told.memoLogin = memoSignedIn;
told.userUnknown = await refusal(user.getCustomer({ type }));
told.userOfAccount = await refusal(user.getCustomer({ id, type }));
told.user = (await user.add({ sep9Info: { first_name: "Bob" }, type })).id;
told.registered = (await customer.getCustomer({ memo, type })).id;

await user.delete(key.publicKey, memo);
told.userDeleted = await refusal(user.getCustomer({ type }));
told.kept = (await customer.getCustomer({ type })).status;

await customer.delete();
told.deleted = await refusal(customer.getCustomer({ type }));
told.deletedById = await refusal(customer.getCustomer({ id, type }));

console.log(JSON.stringify(told));
