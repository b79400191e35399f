'use strict'
/** The chunk of the etcd client: etcd3 and the cockatiel that its policies come from, each once. */
module.exports = {etcd3: require('etcd3'), cockatiel: require('cockatiel')}
